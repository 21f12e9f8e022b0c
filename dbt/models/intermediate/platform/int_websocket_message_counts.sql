-- Kept across builds: a connection's messages come in other passes than its end.
{{ config(pre_hook="{{ forget_parts('minute_at', ['spans'], is_kept=true) }}") }}

select
    component,
    route,
    hex(trace_id) as trace_id,
    {{ id_text('hex(parent_span_id)') }} as span_id,
    minute_at,
    part,
    count(*) filter (where is_received) as messages_received,
    count(*) filter (where not is_received) as messages_sent
from {{ ref('int_websocket_messages') }}
group by all
