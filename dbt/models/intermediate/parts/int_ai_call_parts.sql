{{ config(pre_hook="{{ forget_parts('minute_at', ['spans']) }}") }}

select
    component, version, environment, model, provider, operation, minute_at, part,
    {{ log_bucket('duration_ms') }} as log_bucket,
    case when is_error then error_type end as failed_with,
    count(*) as call_count,
    sum(duration_ms) as duration_ms_sum,
    max(duration_ms) as duration_ms_max,
    sum(first_chunk_ms) as first_chunk_ms_sum,
    count(first_chunk_ms) as first_chunk_count,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    cast(sum(cached_tokens) as bigint) as cached_tokens,
    cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
    sum(duration_ms) filter (where output_tokens is not null) as answered_ms_sum
from {{ ref('int_ai_calls_identified') }}
group by all
