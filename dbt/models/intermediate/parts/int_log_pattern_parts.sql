{{ config(pre_hook="{{ forget_parts('minute_at', ['logs']) }}") }}

select
    component, version, environment, severity, pattern_key, pattern, minute_at, part,
    count(*) as line_count,
    max(event_at) as last_at
from {{ ref('int_log_lines_identified') }}
group by all
