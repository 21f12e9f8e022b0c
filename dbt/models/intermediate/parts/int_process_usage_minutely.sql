-- Kept for as long as requests of the same minute may come in a later pass.
{{ config(pre_hook="{% if is_incremental() %}delete from {{ this }} where minute_at in {{ touched_minutes(['metric_points']) }} or minute_at < (select part_horizon_at from memory.landed.horizon){% else %}select 1{% endif %}") }}

with changes as (
    select * from {{ ref('int_points_as_changes') }} where metric = 'process.cpu.time'
),

points as (
    select *, date_trunc('minute', event_at) as minute_at
    from {{ ref('stg_landed__metric_points_context') }}
    where date_trunc('minute', event_at) in {{ touched_minutes(['metric_points']) }}
        and metric in ('process.cpu.utilization', 'process.memory.usage')
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
)

select
    component,
    instance,
    minute_at,
    cpu.cpu_seconds,
    levels.cpu_utilization_pct,
    {{ whole('levels.memory_bytes') }} as memory_bytes
from cpu
full join levels using (component, instance, minute_at)
