-- A request is a span with an HTTP method that is no ASGI event and no client call. Never by kind
-- SERVER or by being a root: on kept-alive connections a fifth of TTA's requests are INTERNAL
-- children of the request before.
with spans as (
    select * from {{ ref('stg_landed__spans') }}
    where {{ is_request() }}
),

identified as (
    select
        component,
        component_instance,
        coalesce(component_version, '') as version,
        coalesce(environment, '') as environment,
        minute_at,
        part,
        upper(http_method) as method,
        duration_ms,
        coalesce(
            {{ meant('route') }},
            nullif(regexp_replace({{ meant('whole_url') }}, '^[a-z]+://[^/]*', ''), ''),
            name
        ) as route,
        case when http_status between 100 and 599 then (http_status // 100) || 'xx' else 'none' end
            as status_class,
        coalesce(http_status >= 500, false) or status_code = 'ERROR' as is_error
    from spans
)

select * from identified
