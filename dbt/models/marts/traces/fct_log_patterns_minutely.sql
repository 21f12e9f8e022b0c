{{ config(pre_hook="{{ forget_touched_minutes(['logs']) }}") }}

select
    component, version, environment, severity, pattern_key, pattern, minute_at,
    cast(sum(line_count) as bigint) as line_count,
    max(last_at) as last_at
from {{ ref('int_log_pattern_parts') }}
where minute_at in {{ touched_minutes(['logs']) }}
group by component, version, environment, severity, pattern_key, pattern, minute_at
