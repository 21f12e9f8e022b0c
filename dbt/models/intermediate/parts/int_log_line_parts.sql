-- What may be among the newest lines of its pattern, by the part that brought it.
{{ config(pre_hook="{{ forget_parts('event_at', ['logs']) }}") }}

select event_at, component, version, environment, severity, body, pattern_key, trace_id, span_id, part
from {{ ref('int_log_lines_identified') }}
qualify {{ is_among_newest_lines(', part') }}
