{{ config(pre_hook="{{ forget_touched_minutes(['metric_points', 'recent_spans']) }}") }}

with usage as (
    select * from {{ ref('int_process_usage_minutely') }}
    where minute_at in {{ touched_minutes(['metric_points', 'recent_spans']) }}
),

requests as (
    select component, minute_at, sum(request_count) as request_count
    from {{ ref('fct_requests_minutely') }}
    where minute_at in {{ touched_minutes(['metric_points', 'recent_spans']) }}
    group by 1, 2
)

select
    component,
    instance,
    minute_at,
    cpu_seconds,
    cpu_utilization_pct,
    memory_bytes,
    cast(requests.request_count as bigint) as request_count,
    cpu_seconds * 1000 / nullif(requests.request_count, 0) as cpu_ms_per_request
from usage
left join requests using (component, minute_at)
