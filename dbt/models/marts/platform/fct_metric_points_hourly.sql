{{ config(pre_hook="{{ forget_touched_hours(['metric_points']) }}") }}

with levels as (
    select
        component,
        metric,
        kind,
        unit,
        series,
        hour_at,
        cast(sum(point_count) as bigint) as point_count,
        min(value_min) as value_min,
        sum(value_sum) / nullif(sum(value_count), 0) as value_avg,
        max(value_max) as value_max,
        max_by(value_last, row(last_at, value_last)) as value_last
    from {{ ref('int_metric_point_parts') }}
    where hour_at in {{ touched_hours(['metric_points']) }}
    group by 1, 2, 3, 4, 5, 6
),

flows as (
    select
        component,
        metric,
        series,
        date_trunc('hour', minute_at) as hour_at,
        sum(gained) as gained,
        {{ whole('sum(gained_observations)') }} as gained_observations
    from {{ ref('int_metric_gains_minutely') }}
    where date_trunc('hour', minute_at) in {{ touched_hours(['metric_points']) }}
    group by 1, 2, 3, 4
)

select
    component, metric, kind, unit, series, hour_at, point_count,
    value_min, value_avg, value_max, value_last, gained, gained_observations
from levels
left join flows using (component, metric, series, hour_at)
