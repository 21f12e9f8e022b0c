with source as (
    select * from {{ source('landed', 'spans') }}
),

named as (
    select
        *,
        -- before the receiver put it right, a span could end before it started
        greatest(duration_ns, 0) / 1e6 as duration_ms,
        date_trunc('minute', start_at) as minute_at,
        {{ meant('http_method') }} as http_method,
        {{ whole_number(var('meaning')['attributes']['http_status']) }} as http_status,
        {{ meant('url_scheme') }} as url_scheme,
        {{ meant('asgi_event') }} as asgi_event,
        {{ meant('error_type') }} as error_type,
        {{ meant('db_system') }} as db_system,
        {{ meant('ai_model') }} as ai_model,
        {{ meant('ai_operation') }} as ai_operation
    from source
)

select * from named
