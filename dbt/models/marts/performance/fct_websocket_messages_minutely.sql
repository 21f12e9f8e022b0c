{{ config(pre_hook="{{ forget_dirty_hours('minute_at', ['spans']) }}") }}

select
    component,
    route,
    minute_at,
    count(distinct (trace_id, parent_span_id)) as active_connections,
    count(*) filter (where is_received) as messages_received,
    count(*) filter (where not is_received) as messages_sent
from {{ ref('int_websocket_messages') }}
group by component, route, minute_at
