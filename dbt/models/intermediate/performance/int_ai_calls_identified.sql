-- Old and new GenAI names, TTA.dev's primitives and OpenInference; the HTTP span below a call has
-- none of these attributes and is not counted again. An agent's or a workflow's span holds the sum of
-- its calls and is none of them, a tool is no model.
with spans as (
    select * from {{ ref('stg_landed__spans') }}
    where {{ is_model_call() }}
),

identified as (
    select
        component,
        coalesce(component_version, '') as version,
        coalesce(environment, '') as environment,
        minute_at,
        part,
        duration_ms,
        coalesce(ai_model, 'unknown') as model,
        coalesce({{ meant('ai_provider') }}, 'unknown')
            as provider,
        {{ ai_operation_name() }} as operation,
        status_code = 'ERROR' or error_type is not null as is_error,
        coalesce(error_type, 'unspecified') as error_type,
        {{ number_within(meant('ai_first_chunk_s'), 1e6) }} * 1000
            as first_chunk_ms,
        {{ whole_number(var('meaning')['attributes']['ai_input_tokens']) }}
            as input_tokens,
        {{ whole_number(var('meaning')['attributes']['ai_output_tokens']) }}
            as output_tokens,
        {{ whole_number(var('meaning')['attributes']['ai_cached_tokens']) }}
            as cached_tokens,
        {{ whole_number(var('meaning')['attributes']['ai_reasoning_tokens']) }}
            as reasoning_tokens
    from spans
)

select * from identified
