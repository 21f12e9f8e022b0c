{{ config(pre_hook="{{ forget_parts('hour_at', ['metric_points']) }}") }}

select
    component,
    metric,
    kind,
    coalesce(unit, '') as unit,
    attributes::varchar as series,
    date_trunc('hour', event_at) as hour_at,
    part,
    count(*) as point_count,
    min(value) as value_min,
    sum(value) as value_sum,
    count(value) as value_count,
    max(value) as value_max,
    max_by(value, row(event_at, value)) as value_last,
    max(event_at) filter (where value is not null) as last_at
from {{ ref('stg_landed__metric_points') }}
group by all
