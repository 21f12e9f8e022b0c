-- Single requests, AI calls, database operations and grouped errors: what exemplars are chosen from.
with spans as not materialized (
    select
        *,
        coalesce(component_version, '') as version,
        coalesce(environment, '') as environment_name,
        (list_filter(events, lambda e: e['attributes']['exception.type'] is not null))[1]['attributes']['exception.type']
            as exception_type
    from {{ ref('stg_landed__spans') }}
),

requests as (
    select
        'request' as kind,
        start_at as event_at, start_at as placed_at, component, version, environment_name as environment,
        coalesce(
            {{ meant('route') }},
            nullif(regexp_replace({{ meant('whole_url') }}, '^[a-z]+://[^/]*', ''), ''),
            name
        ) as name,
        upper(http_method) as verb,
        '' as system,
        http_status as status,
        duration_ms,
        coalesce(http_status >= 500, false) or status_code = 'ERROR' as is_failed,
        coalesce(error_type, exception_type) as error_type,
        cast(null as bigint) as input_tokens,
        cast(null as bigint) as output_tokens,
        trace_id, span_id, cast(null as ubigint) as once, true as is_span, part
    from spans
    where {{ is_request() }}
),

ai_calls as (
    select
        'ai_call' as kind,
        start_at as event_at, start_at as placed_at, component, version, environment_name as environment,
        coalesce(ai_model, 'unknown') as name,
        {{ ai_operation_name() }} as verb,
        coalesce({{ meant('ai_provider') }}, 'unknown') as system,
        cast(null as bigint) as status,
        duration_ms,
        status_code = 'ERROR' or error_type is not null as is_failed,
        coalesce(error_type, exception_type) as error_type,
        {{ whole_number(var('meaning')['attributes']['ai_input_tokens']) }} as input_tokens,
        {{ whole_number(var('meaning')['attributes']['ai_output_tokens']) }} as output_tokens,
        trace_id, span_id, cast(null as ubigint) as once, true as is_span, part
    from spans
    where {{ is_model_call() }}
),

asked as (
    select
        *,
        {{ db_operation_name() }} as verb,
        left(coalesce({{ meant('db_statement') }}, ''), {{ var('meaning')['statement_characters'] }}) as statement,
        coalesce({{ meant('db_collection') }}, '') as collection
    from spans
    where db_system is not null
),

operations as (
    select
        'db' as kind,
        start_at as event_at, start_at as placed_at, component, version, environment_name as environment,
        case when statement = '' then trim(coalesce(verb, '') || ' ' || collection) else statement end as name,
        verb,
        db_system as system,
        cast(null as bigint) as status,
        duration_ms,
        status_code = 'ERROR' or error_type is not null as is_failed,
        coalesce(error_type, exception_type) as error_type,
        cast(null as bigint) as input_tokens,
        cast(null as bigint) as output_tokens,
        trace_id, span_id, cast(null as ubigint) as once, true as is_span, part
    from asked
),

errors as (
    select
        'error' as kind,
        event_at,
        -- An error lies in the hour of its span or record, whenever it happened.
        least(greatest(event_at, hour_at), hour_at + interval 59 minutes) as placed_at,
        component, coalesce(version, '') as version, coalesce(environment, '') as environment,
        group_key as name,
        '' as verb,
        '' as system,
        cast(null as bigint) as status,
        cast(null as double) as duration_ms,
        true as is_failed,
        exception_type as error_type,
        cast(null as bigint) as input_tokens,
        cast(null as bigint) as output_tokens,
        trace_id, span_id, once, is_span, part
    from {{ ref('stg_landed__error_occurrences') }}
    where trace_id is not null
)

select * from requests
union all
select * from ai_calls
union all
select * from operations
union all
select * from errors
