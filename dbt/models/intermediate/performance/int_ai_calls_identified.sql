-- Old and new GenAI names, TTA.dev's primitives and OpenInference; the HTTP span below a call has
-- none of these attributes and is not counted again. An agent's or a workflow's span holds the sum of
-- its calls and is none of them, a tool is no model: live_tail/window/spans.py names the same.
with spans as (
    select *, upper({{ attribute(['openinference.span.kind']) }}) as inference_kind
    from {{ ref('stg_landed__spans') }}
    where (ai_operation is not null or ai_model is not null)
        and lower(coalesce(ai_operation, '')) not in (
            'create_agent', 'invoke_agent', 'invoke_workflow', 'execute_tool', 'retrieval', 'plan',
            'search_memory', 'update_memory', 'upsert_memory', 'delete_memory', 'create_memory',
            'create_memory_store', 'delete_memory_store'
        )
        and lower(coalesce({{ attribute(['traceloop.span.kind']) }}, ''))
            not in ('workflow', 'agent', 'task', 'tool')
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
        coalesce(ai_operation, case inference_kind
            when 'LLM' then 'chat' when 'EMBEDDING' then 'embeddings' when 'RERANKER' then 'rerank'
        end, 'unknown') as operation,
        status_code = 'ERROR' or error_type is not null as is_error,
        coalesce(error_type, 'unspecified') as error_type,
        {{ number_within(attribute(['gen_ai.response.time_to_first_chunk']), 1e6) }} * 1000
            as first_chunk_ms,
        {{ whole_number(['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens', 'llm.token_count.prompt']) }}
            as input_tokens,
        {{ whole_number(['gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens', 'llm.token_count.completion']) }}
            as output_tokens,
        {{ whole_number(['gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_read_input_tokens', 'llm.token_count.prompt_details.cache_read']) }}
            as cached_tokens,
        {{ whole_number(['gen_ai.usage.reasoning.output_tokens', 'gen_ai.usage.reasoning_tokens', 'llm.token_count.completion_details.reasoning']) }}
            as reasoning_tokens
    from spans
    where coalesce(inference_kind, '')
        not in ('AGENT', 'CHAIN', 'TOOL', 'RETRIEVER', 'GUARDRAIL', 'EVALUATOR', 'PROMPT')
)

select * from identified
