{{ config(pre_hook="{{ forget_touched_ten_minutes(['logs'], 'event_at') }}") }}

with parts as (
    select * from {{ ref('int_log_line_parts') }}
    where {{ ten_minutes('event_at') }} in {{ touched_ten_minutes(['logs']) }}
)

select event_at, component, version, environment, severity, body, pattern_key, trace_id, span_id
from parts
qualify {{ is_among_newest_lines() }}
