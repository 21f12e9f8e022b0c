{{ config(pre_hook="{{ forget_dirty_hours('opened_at', ['spans']) }}") }}

with spans as (
    select
        *,
        name = 'tta.websocket.connection' as is_convention
    from {{ ref('stg_landed__spans') }}
    where name = 'tta.websocket.connection'
        or (url_scheme in ('ws', 'wss') and asgi_event is null and kind not in ('CLIENT', 'PRODUCER'))
),

counts as (
    select
        trace_id,
        span_id,
        cast(sum(messages_received) as bigint) as messages_received,
        cast(sum(messages_sent) as bigint) as messages_sent
    from {{ ref('int_websocket_message_counts') }}
    group by 1, 2
),

connections as (
    select
        left(md5(hex(spans.trace_id) || hex(spans.span_id) || spans.start_at::varchar), 16) as connection_id,
        component,
        coalesce({{ attribute(['http.route', 'url.path', 'http.target']) }}, name) as route,
        start_at as opened_at,
        duration_ms,
        coalesce({{ whole_number(['tta.websocket.messages.received']) }}, counts.messages_received)
            as messages_received,
        coalesce({{ whole_number(['tta.websocket.messages.sent']) }}, counts.messages_sent)
            as messages_sent,
        {{ whole_number(['tta.websocket.bytes.received']) }} as bytes_received,
        {{ whole_number(['tta.websocket.bytes.sent']) }} as bytes_sent,
        {{ whole_number(['tta.websocket.close_code']) }} as close_code,
        {{ attribute(['session.id', 'tta.session.id']) }} as session
    from spans
    left join counts on counts.trace_id = hex(spans.trace_id) and counts.span_id = hex(spans.span_id)
)

select
    connection_id, component, route, opened_at, duration_ms, messages_received, messages_sent,
    (coalesce(messages_received, 0) + coalesce(messages_sent, 0))
        / nullif(duration_ms / 60000, 0) as messages_per_min,
    bytes_received, bytes_sent, close_code, session
from connections
