-- Kept across builds: a connection's messages fall into later hours than its start.
{{ config(pre_hook="{{ forget_dirty_hours('hour_at', ['spans']) }}") }}

select
    hex(trace_id) as trace_id,
    hex(parent_span_id) as span_id,
    hour_at,
    count(*) filter (where is_received) as messages_received,
    count(*) filter (where not is_received) as messages_sent
from {{ ref('int_websocket_messages') }}
where parent_span_id is not null
group by all
