{{ config(pre_hook="{{ forget_dirty_hours('minute_at', ['spans']) }}") }}

with requests as (
    select * from {{ ref('int_requests_identified') }}
)

select
    component,
    route,
    method,
    status_class,
    minute_at,
    count(*) as request_count,
    count(*) filter (where is_error) as error_count,
    sum(duration_ms) as duration_ms_sum,
    max(duration_ms) as duration_ms_max,
    {{ latency_histogram('duration_ms') }} as latency_histogram
from requests
group by component, route, method, status_class, minute_at
