{{ config(pre_hook="{{ forget_dirty_hours('minute_at', ['spans']) }}") }}

with calls as (
    select * from {{ ref('int_ai_calls_identified') }}
)

select
    component,
    model,
    provider,
    operation,
    minute_at,
    count(*) as call_count,
    count(*) filter (where is_error) as error_count,
    cast(histogram(error_type) filter (where is_error) as map(varchar, bigint)) as errors_by_type,
    sum(duration_ms) as duration_ms_sum,
    max(duration_ms) as duration_ms_max,
    {{ latency_histogram('duration_ms') }} as latency_histogram,
    sum(first_chunk_ms) as first_chunk_ms_sum,
    count(first_chunk_ms) as first_chunk_count,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    cast(sum(cached_tokens) as bigint) as cached_tokens,
    cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
    sum(output_tokens)
        / nullif(sum(duration_ms) filter (where output_tokens is not null) / 1000, 0)
        as output_tokens_per_s
from calls
group by component, model, provider, operation, minute_at
