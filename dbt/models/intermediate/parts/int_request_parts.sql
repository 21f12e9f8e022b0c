{{ config(pre_hook="{{ forget_parts('minute_at', ['spans']) }}") }}

select
    component, version, environment, route, method, status_class, minute_at, part,
    {{ log_bucket('duration_ms') }} as log_bucket,
    count(*) as request_count,
    count(*) filter (where is_error) as error_count,
    sum(duration_ms) as duration_ms_sum,
    max(duration_ms) as duration_ms_max
from {{ ref('int_requests_identified') }}
group by all
