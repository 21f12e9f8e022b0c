-- A request is a span with an HTTP method that is no ASGI event and no client call. Never by kind
-- SERVER or by being a root: on kept-alive connections a fifth of TTA's requests are INTERNAL
-- children of the request before.
with spans as (
    select * from {{ ref('stg_landed__spans') }}
    where http_method is not null
        and asgi_event is null
        and kind not in ('CLIENT', 'PRODUCER')
        and coalesce(url_scheme, 'http') not in ('ws', 'wss')
),

identified as (
    select
        component,
        component_instance,
        minute_at,
        part,
        upper(http_method) as method,
        duration_ms,
        coalesce(
            {{ attribute(['http.route', 'url.template', 'url.path', 'http.target']) }},
            nullif(regexp_replace({{ attribute(['url.full', 'http.url']) }}, '^[a-z]+://[^/]*', ''), ''),
            name
        ) as route,
        case when http_status between 100 and 599 then (http_status // 100) || 'xx' else 'none' end
            as status_class,
        coalesce(http_status >= 500, false) or status_code = 'ERROR' as is_error
    from spans
)

select * from identified
