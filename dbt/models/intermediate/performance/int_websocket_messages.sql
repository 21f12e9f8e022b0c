-- One row per message of today's ASGI spans; connect, accept, disconnect and close are no messages.
select
    component,
    trace_id,
    parent_span_id,
    start_at,
    date_trunc('minute', start_at) as minute_at,
    part,
    {{ websocket_route() }} as route,
    asgi_event = '{{ var('meaning')['websocket_messages']['received'] }}' as is_received
from {{ ref('stg_landed__spans') }}
where asgi_event in {{ words(var('meaning')['websocket_messages'].values()) }}
