-- Old and new GenAI names, TTA.dev's primitives and OpenInference; the HTTP span below a call has
-- none of these attributes and is not counted again. An agent's or a workflow's span holds the sum of
-- its calls and is none of them, a tool is no model.
with spans as (
    select *, upper({{ meant('ai_kind') }}) as inference_kind
    from {{ ref('stg_landed__spans') }}
    where (ai_operation is not null or ai_model is not null)
        {% for name, kinds in var('meaning')['no_model_calls'].items() -%}
        and lower(coalesce({{ attribute([name]) }}, '')) not in {{ words(kinds) }}
        {% endfor %}
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
        coalesce(ai_operation, case inference_kind
            {% for kind, operation in var('meaning')['ai_operations_by_kind'].items() -%}
            when '{{ kind }}' then '{{ operation }}'
            {% endfor %}
        end, 'unknown') as operation,
        status_code = 'ERROR' or error_type is not null as is_error,
        coalesce(error_type, 'unspecified') as error_type,
        {{ number_within(meant('ai_first_chunk_s'), 1e6) }} * 1000
            as first_chunk_ms,
        {{ whole_number(names_of('ai_input_tokens')) }}
            as input_tokens,
        {{ whole_number(names_of('ai_output_tokens')) }}
            as output_tokens,
        {{ whole_number(names_of('ai_cached_tokens')) }}
            as cached_tokens,
        {{ whole_number(names_of('ai_reasoning_tokens')) }}
            as reasoning_tokens
    from spans
)

select * from identified
