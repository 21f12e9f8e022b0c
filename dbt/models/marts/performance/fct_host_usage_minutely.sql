{{ config(pre_hook="{{ forget_touched_minutes(['metric_points']) }}") }}

with points as (
    select
        *,
        coalesce(host, component) as host_name,
        date_trunc('minute', event_at) as minute_at,
        {{ attribute(['system.cpu.state', 'cpu.mode', 'system.memory.state', 'state']) }} as state
    from {{ ref('stg_landed__metric_points_context') }}
    where date_trunc('minute', event_at) in {{ touched_minutes(['metric_points']) }}
        and metric like 'system.%'
),

levels as (
    select
        host_name as host,
        minute_at,
        100 * (1 - avg(value) filter (where metric = 'system.cpu.utilization' and state = 'idle'))
            as cpu_utilization_pct,
        avg(value) filter (where metric = 'system.memory.usage' and state = 'used')
            as memory_used_bytes,
        100 * avg(value) filter (where metric = 'system.memory.utilization' and state = 'used')
            as memory_utilization_pct,
        avg(value) filter (
            where metric in ('system.linux.cpu.load_1m', 'system.cpu.load_average.1m')
        ) as load_1m
    from points
    group by 1, 2
),

flows as (
    select
        coalesce(host, component) as host,
        minute_at,
        metric,
        {{ attribute(['disk.io.direction', 'network.io.direction', 'direction']) }} as direction,
        sum(gained) as bytes
    from {{ ref('int_points_as_changes') }}
    where metric in ('system.disk.io', 'system.network.io')
    group by 1, 2, 3, 4
),

flow_columns as (
    select
        host,
        minute_at,
        sum(bytes) filter (where metric = 'system.disk.io' and direction = 'read') as disk_read_bytes,
        sum(bytes) filter (where metric = 'system.disk.io' and direction = 'write') as disk_write_bytes,
        sum(bytes) filter (where metric = 'system.network.io' and direction = 'receive')
            as network_received_bytes,
        sum(bytes) filter (where metric = 'system.network.io' and direction = 'transmit')
            as network_sent_bytes
    from flows
    group by 1, 2
)

select
    host,
    minute_at,
    cpu_utilization_pct,
    {{ whole('memory_used_bytes') }} as memory_used_bytes,
    memory_utilization_pct,
    {{ whole('disk_read_bytes') }} as disk_read_bytes,
    {{ whole('disk_write_bytes') }} as disk_write_bytes,
    {{ whole('network_received_bytes') }} as network_received_bytes,
    {{ whole('network_sent_bytes') }} as network_sent_bytes,
    load_1m
from levels
left join flow_columns using (host, minute_at)
