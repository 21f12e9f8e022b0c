{{ config(pre_hook="{{ forget_touched_minutes(['spans']) }}") }}

select
    component,
    route,
    minute_at,
    count(distinct row(trace_id, span_id)) as active_connections,
    cast(sum(messages_received) as bigint) as messages_received,
    cast(sum(messages_sent) as bigint) as messages_sent
from {{ ref('int_websocket_message_counts') }}
where minute_at in {{ touched_minutes(['spans']) }}
group by component, route, minute_at
