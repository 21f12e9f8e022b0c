with source as (
    select * from {{ source('landed', 'spans') }}
),

named as (
    select
        *,
        -- before the receiver put it right, a span could end before it started
        greatest(duration_ns, 0) / 1e6 as duration_ms,
        date_trunc('minute', start_at) as minute_at,
        {{ attribute(['http.request.method', 'http.method']) }} as http_method,
        {{ whole_number(['http.response.status_code', 'http.status_code']) }} as http_status,
        {{ attribute(['url.scheme', 'http.scheme']) }} as url_scheme,
        {{ attribute(['asgi.event.type']) }} as asgi_event,
        {{ attribute(['error.type']) }} as error_type,
        {{ attribute(['db.system.name', 'db.system']) }} as db_system,
        {{ attribute(['gen_ai.request.model', 'gen_ai.response.model', 'llm.model_name']) }} as ai_model,
        {{ attribute(['gen_ai.operation.name']) }} as ai_operation
    from source
)

select * from named
