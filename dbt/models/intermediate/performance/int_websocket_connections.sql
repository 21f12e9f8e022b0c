-- Connections that ended since the last build, and what their own spans say of messages.
{{ config(materialized="table") }}

with spans as (
    select * from {{ ref('stg_landed__spans') }}
    where name = '{{ var('meaning')['websocket_connection_span'] }}'
        or (url_scheme in {{ words(var('meaning')['websocket_schemes']) }} and asgi_event is null
            and kind not in {{ words(var('meaning')['kinds_of_calls_out']) }})
)

select
    {{ id_text('left(md5(hex(trace_id) || hex(span_id) || start_at::varchar), 16)') }} as connection_id,
    hex(trace_id) as trace_id,
    {{ id_text('hex(span_id)') }} as span_id,
    component,
    {{ websocket_route() }} as route,
    start_at as opened_at,
    duration_ms,
    {{ whole_number(var('meaning')['attributes']['websocket_received']) }} as told_received,
    {{ whole_number(var('meaning')['attributes']['websocket_sent']) }} as told_sent,
    {{ whole_number(var('meaning')['attributes']['websocket_bytes_received']) }} as bytes_received,
    {{ whole_number(var('meaning')['attributes']['websocket_bytes_sent']) }} as bytes_sent,
    {{ whole_number(var('meaning')['attributes']['websocket_close_code']) }} as close_code,
    {{ attribute(['session.id', 'tta.session.id']) }} as session
from spans
-- One that is told twice, with another end or by another component, is one: the longest telling counts.
qualify row_number() over (partition by connection_id order by duration_ns desc, component asc, name asc) = 1
