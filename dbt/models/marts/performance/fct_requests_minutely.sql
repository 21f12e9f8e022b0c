{{ config(pre_hook="{{ forget_touched_minutes(['spans']) }}") }}

with buckets as (
    select
        component, version, environment, route, method, status_class, minute_at, log_bucket,
        cast(sum(request_count) as bigint) as request_count,
        cast(sum(error_count) as bigint) as error_count,
        sum(duration_ms_sum) as duration_ms_sum,
        max(duration_ms_max) as duration_ms_max
    from {{ ref('int_request_parts') }}
    where minute_at in {{ touched_minutes(['spans']) }}
    group by all
)

select
    component,
    version,
    environment,
    route,
    method,
    status_class,
    minute_at,
    cast(sum(request_count) as bigint) as request_count,
    cast(sum(error_count) as bigint) as error_count,
    sum(duration_ms_sum) as duration_ms_sum,
    max(duration_ms_max) as duration_ms_max,
    {{ latency_histogram('log_bucket', 'request_count') }} as latency_histogram
from buckets
group by component, version, environment, route, method, status_class, minute_at
