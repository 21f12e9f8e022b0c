-- Events of an episode arrive hours apart. Each is an instant or a running count, so that taking
-- one in again, or in another order, changes nothing.
{{ config(
    pre_hook="{% if is_incremental() %}create or replace temp table alert_episodes_before as select * from {{ this }}; delete from {{ this }}{% else %}select 1{% endif %}"
) }}

with events as (
    select * from {{ ref('int_alert_events') }}
),

pieces as (
    select
        alert_id,
        rule,
        component,
        severity,
        event = 'reopened' as is_reopened,
        case when event in ('fired', 'reopened') then event_at - to_microseconds(cast(coalesce(pending_s, 0) * 1e6 as bigint)) end as started_at,
        case when event in ('fired', 'reopened') then event_at end as fired_at,
        case when event = 'acknowledged' then event_at end as acknowledged_at,
        case when event = 'resolved' then event_at end as resolved_at,
        notification_count,
        event = 'acknowledged' or is_by_hand as is_acted_on,
        event_at as updated_at
    from events
    {% if is_incremental() %}
    union all by name
    select * from alert_episodes_before
    {% endif %}
)

select
    alert_id,
    max(rule) as rule,
    max(component) as component,
    max_by(severity, updated_at) as severity,
    bool_or(is_reopened) as is_reopened,
    min(started_at) as started_at,
    min(fired_at) as fired_at,
    min(acknowledged_at) as acknowledged_at,
    max(resolved_at) as resolved_at,
    cast(max(notification_count) as bigint) as notification_count,
    bool_or(is_acted_on) as is_acted_on,
    max(updated_at) as updated_at
from pieces
group by alert_id
