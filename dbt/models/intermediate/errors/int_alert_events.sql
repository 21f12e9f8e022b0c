-- One row per life event of an alert of our own, as the live tail sent it.
select
    event_at,
    attributes['tta.alert.id'] as alert_id,
    attributes['tta.alert.event'] as event,
    attributes['tta.alert.rule'] as rule,
    coalesce(attributes['tta.alert.component'], '') as component,
    attributes['tta.alert.severity'] as severity,
    {{ whole_number(['tta.alert.notifications']) }} as notification_count,
    {{ number_within("attributes['tta.alert.pending_s']", 1e9) }} as pending_s,
    coalesce(attributes['tta.alert.is_by_hand'] = 'true', false) as is_by_hand
from {{ ref('stg_landed__logs') }}
-- Whoever may send may use our name: what has not the form of our events is none.
where component = 'tta-monitor-alerts'
    and attributes['tta.alert.id'] is not null
    and attributes['tta.alert.rule'] is not null
    and attributes['tta.alert.severity'] in ('critical', 'warning', 'info')
