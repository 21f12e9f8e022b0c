-- One row per life event of an alert of our own, as the live tail sent it.
select
    event_at,
    attributes['tta.alert.id'] as alert_id,
    attributes['tta.alert.event'] as event,
    attributes['tta.alert.rule'] as rule,
    coalesce(attributes['tta.alert.component'], '') as component,
    attributes['tta.alert.severity'] as severity,
    {{ whole_number(['tta.alert.notifications']) }} as notification_count,
    try_cast(attributes['tta.alert.pending_s'] as double) as pending_s,
    coalesce(attributes['tta.alert.is_by_hand'] = 'true', false) as is_by_hand
from {{ ref('stg_landed__logs') }}
where component = 'tta-monitor-alerts' and attributes['tta.alert.id'] is not null
