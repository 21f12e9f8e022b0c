{{ config(pre_hook="{{ forget_dirty_hours('minute_at', ['metric_points']) }}") }}

with changes as (
    select * from {{ ref('int_points_as_changes') }} where metric = 'process.cpu.time'
),

points as (
    select *, date_trunc('minute', event_at) as minute_at
    from {{ ref('stg_landed__metric_points') }}
    where metric in ('process.cpu.utilization', 'process.memory.usage')
),

cpu as (
    select component, coalesce(component_instance, '') as instance, minute_at, sum(gained) as cpu_seconds
    from changes
    group by 1, 2, 3
),

levels as (
    select
        component,
        coalesce(component_instance, '') as instance,
        minute_at,
        avg(value) filter (where metric = 'process.cpu.utilization') * 100 as cpu_utilization_pct,
        max(value) filter (where metric = 'process.memory.usage') as memory_bytes
    from points
    group by 1, 2, 3
),

requests as (
    select component, minute_at, sum(request_count) as request_count
    from {{ ref('fct_requests_minutely') }}
    group by 1, 2
)

select
    component,
    instance,
    minute_at,
    cpu.cpu_seconds,
    levels.cpu_utilization_pct,
    cast(levels.memory_bytes as bigint) as memory_bytes,
    cast(requests.request_count as bigint) as request_count,
    cpu.cpu_seconds * 1000 / nullif(requests.request_count, 0) as cpu_ms_per_request
from cpu
full join levels using (component, instance, minute_at)
left join requests using (component, minute_at)
