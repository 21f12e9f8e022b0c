{{ config(pre_hook="{{ forget_dirty_hours('hour_at', ['metric_points']) }}") }}

with points as (
    select
        component,
        metric,
        kind,
        coalesce(unit, '') as unit,
        attributes::varchar as series,
        date_trunc('hour', event_at) as hour_at,
        event_at,
        value
    from {{ ref('stg_landed__metric_points') }}
),

levels as (
    select
        component,
        metric,
        kind,
        unit,
        series,
        hour_at,
        count(*) as point_count,
        min(value) as value_min,
        avg(value) as value_avg,
        max(value) as value_max,
        max_by(value, event_at) as value_last
    from points
    group by all
),

flows as (
    select
        component,
        metric,
        attributes::varchar as series,
        date_trunc('hour', event_at) as hour_at,
        sum(gained) as gained,
        cast(sum(gained_count) as bigint) as gained_observations
    from {{ ref('int_points_as_changes') }}
    group by all
)

select
    component, metric, kind, unit, series, hour_at, point_count,
    value_min, value_avg, value_max, value_last, gained, gained_observations
from levels
left join flows using (component, metric, series, hour_at)
