{{ config(pre_hook="{{ forget_touched_minutes(['spans']) }}") }}

with parts as (
    select * from {{ ref('int_ai_call_parts') }}
    where minute_at in {{ touched_minutes(['spans']) }}
),

buckets as (
    select component, version, environment, model, provider, operation, minute_at, log_bucket, sum(call_count) as call_count
    from parts
    group by 1, 2, 3, 4, 5, 6, 7, 8
),

histograms as (
    select
        component, version, environment, model, provider, operation, minute_at,
        {{ latency_histogram('log_bucket', 'call_count') }} as latency_histogram
    from buckets
    group by 1, 2, 3, 4, 5, 6, 7
),

failures as (
    select component, version, environment, model, provider, operation, minute_at, failed_with, sum(call_count) as call_count
    from parts
    where failed_with is not null
    group by 1, 2, 3, 4, 5, 6, 7, 8
),

failed as (
    select
        component, version, environment, model, provider, operation, minute_at,
        cast(map_from_entries(list({'k': failed_with, 'v': call_count} order by failed_with)) as map(varchar, bigint))
            as errors_by_type
    from failures
    group by 1, 2, 3, 4, 5, 6, 7
),

totals as (
    select
        component, version, environment, model, provider, operation, minute_at,
        cast(sum(call_count) as bigint) as call_count,
        cast(coalesce(sum(call_count) filter (where failed_with is not null), 0) as bigint) as error_count,
        sum(duration_ms_sum) as duration_ms_sum,
        max(duration_ms_max) as duration_ms_max,
        sum(first_chunk_ms_sum) as first_chunk_ms_sum,
        cast(sum(first_chunk_count) as bigint) as first_chunk_count,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(cached_tokens) as bigint) as cached_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        sum(answered_ms_sum) as answered_ms_sum,
        sum(output_tokens) / nullif(sum(answered_ms_sum) / 1000, 0) as output_tokens_per_s
    from parts
    group by 1, 2, 3, 4, 5, 6, 7
)

select
    component,
    version,
    environment,
    model,
    provider,
    operation,
    minute_at,
    call_count,
    error_count,
    errors_by_type,
    duration_ms_sum,
    duration_ms_max,
    latency_histogram,
    first_chunk_ms_sum,
    first_chunk_count,
    input_tokens,
    output_tokens,
    cached_tokens,
    reasoning_tokens,
    answered_ms_sum,
    output_tokens_per_s
from totals
inner join histograms using (component, version, environment, model, provider, operation, minute_at)
left join failed using (component, version, environment, model, provider, operation, minute_at)
