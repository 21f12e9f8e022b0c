-- Old and new GenAI names, TTA.dev's primitives and OpenInference; the HTTP span below a call has
-- none of these attributes and is not counted again. An agent's or a workflow's span holds the sum of
-- its calls and is none of them, a tool is no model.
with spans as (
    select *, upper({{ attribute(['openinference.span.kind']) }}) as inference_kind
    from {{ ref('stg_landed__spans') }}
    where (ai_operation is not null or ai_model is not null)
        {% for name, kinds in var('meaning')['no_model_calls'].items() -%}
        and lower(coalesce({{ attribute([name]) }}, '')) not in {{ words(kinds) }}
        {% endfor %}
),

identified as (
    select
        component,
        minute_at,
        part,
        duration_ms,
        coalesce(ai_model, 'unknown') as model,
        coalesce({{ meant('ai_provider') }}, 'unknown')
            as provider,
        coalesce(ai_operation, case inference_kind
            when 'LLM' then 'chat' when 'EMBEDDING' then 'embeddings' when 'RERANKER' then 'rerank'
        end, 'unknown') as operation,
        status_code = 'ERROR' or error_type is not null as is_error,
        coalesce(error_type, 'unspecified') as error_type,
        {{ number_within(attribute(['gen_ai.response.time_to_first_chunk']), 1e6) }} * 1000
            as first_chunk_ms,
        {{ whole_number(var('meaning')['attributes']['ai_input_tokens']) }}
            as input_tokens,
        {{ whole_number(var('meaning')['attributes']['ai_output_tokens']) }}
            as output_tokens,
        {{ whole_number(['gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_read_input_tokens', 'llm.token_count.prompt_details.cache_read']) }}
            as cached_tokens,
        {{ whole_number(['gen_ai.usage.reasoning.output_tokens', 'gen_ai.usage.reasoning_tokens', 'llm.token_count.completion_details.reasoning']) }}
            as reasoning_tokens
    from spans
)

select * from identified
