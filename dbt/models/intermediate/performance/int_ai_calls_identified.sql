-- Old and new GenAI names, TTA.dev's primitives and OpenInference; the HTTP span below a call has
-- none of these attributes and is not counted again.
with spans as (
    select * from {{ ref('stg_landed__spans') }}
    where ai_operation is not null or ai_model is not null
),

identified as (
    select
        component,
        minute_at,
        part,
        duration_ms,
        coalesce(ai_model, 'unknown') as model,
        coalesce({{ attribute(['gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system']) }}, 'unknown')
            as provider,
        coalesce(ai_operation, 'unknown') as operation,
        status_code = 'ERROR' or error_type is not null as is_error,
        coalesce(error_type, 'unspecified') as error_type,
        {{ number_within(attribute(['gen_ai.response.time_to_first_chunk']), 1e6) }} * 1000
            as first_chunk_ms,
        {{ whole_number(['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens', 'llm.token_count.prompt']) }}
            as input_tokens,
        {{ whole_number(['gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens', 'llm.token_count.completion']) }}
            as output_tokens,
        {{ whole_number(['gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_read_input_tokens']) }}
            as cached_tokens,
        {{ whole_number(['gen_ai.usage.reasoning.output_tokens', 'gen_ai.usage.reasoning_tokens']) }}
            as reasoning_tokens
    from spans
)

select * from identified
