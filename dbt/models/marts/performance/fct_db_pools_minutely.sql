{{ config(pre_hook="{{ forget_touched_minutes(['metric_points']) }}") }}

with points as (
    select
        *,
        date_trunc('minute', event_at) as minute_at,
        replace(metric, 'db.client.connections.', 'db.client.connection.') as pool_metric,
        coalesce({{ attribute(['db.client.connection.pool.name', 'db.client.connections.pool.name', 'pool.name']) }}, '')
            as pool,
        {{ attribute(['db.client.connection.state', 'state']) }} as state,
        coalesce({{ attribute(['db.system.name', 'db.system']) }}, 'unknown') as system
    from {{ ref('stg_landed__metric_points_context') }}
    where date_trunc('minute', event_at) in {{ touched_minutes(['metric_points']) }}
        and metric like 'db.client.connection%'
),

levels as (
    select
        component, system, pool, minute_at,
        avg(value) filter (where pool_metric in ('db.client.connection.count', 'db.client.connection.usage') and state = 'used')
            as used_connections,
        avg(value) filter (where pool_metric in ('db.client.connection.count', 'db.client.connection.usage') and state = 'idle')
            as idle_connections,
        max(value) filter (where pool_metric = 'db.client.connection.max') as max_connections,
        max(value) filter (where pool_metric = 'db.client.connection.pending_requests')
            as pending_requests
    from points
    group by all
),

flows as (
    select
        component,
        coalesce({{ attribute(['db.system.name', 'db.system']) }}, 'unknown') as system,
        coalesce({{ attribute(['db.client.connection.pool.name', 'db.client.connections.pool.name', 'pool.name']) }}, '')
            as pool,
        minute_at,
        -- wait_time is in seconds by convention
        sum(gained) filter (where metric like '%.wait_time') * 1000 as wait_ms_sum,
        {{ whole("sum(gained_count) filter (where metric like '%.wait_time')") }} as wait_count,
        {{ whole("sum(gained) filter (where metric like '%.timeouts')") }} as timeout_count
    from {{ ref('int_points_as_changes') }}
    where metric like 'db.client.connection%'
    group by all
)

select
    component, system, pool, minute_at,
    used_connections, idle_connections, max_connections, pending_requests,
    wait_ms_sum, wait_count, timeout_count
from levels
left join flows using (component, system, pool, minute_at)
