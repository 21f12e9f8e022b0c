{{ config(materialized='table') }}

with episodes as (
    select
        *,
        cast(date_trunc('week', fired_at) as date) as week_on
    from {{ ref('fct_alert_episodes') }}
    where fired_at is not null
),

spaced as (
    select
        *,
        lag(fired_at) over (partition by rule, component, severity, week_on order by fired_at, alert_id) as fired_before_at
    from episodes
)

select
    rule,
    component,
    severity,
    week_on,
    count(*) as fired_count,
    count(*) filter (where is_acted_on) as acted_on_count,
    100.0 * count(*) filter (where not is_acted_on) / count(*) as noise_pct,
    count(*) filter (where is_reopened) as reopened_count,
    cast(sum(notification_count) as bigint) as notification_count,
    avg(date_diff('microsecond', fired_at, acknowledged_at)) / 1e6 as mtta_s,
    avg(date_diff('microsecond', fired_at, resolved_at)) / 1e6 as mttr_s,
    avg(date_diff('microsecond', fired_before_at, fired_at)) filter (where fired_before_at < fired_at) / 1e6 as mtbf_s
from spaced
group by rule, component, severity, week_on
