{{ config(pre_hook="{{ forget_touched_minutes(['spans']) }}") }}

with buckets as (
    select
        component, system, operation, collection, statement, minute_at, log_bucket,
        cast(sum(operation_count) as bigint) as operation_count,
        cast(sum(error_count) as bigint) as error_count,
        sum(duration_ms_sum) as duration_ms_sum,
        max(duration_ms_max) as duration_ms_max,
        cast(sum(returned_rows) as bigint) as returned_rows,
        cast(sum(bytes) as bigint) as bytes
    from {{ ref('int_db_operation_parts') }}
    where minute_at in {{ touched_minutes(['spans']) }}
    group by all
)

select
    component,
    system,
    operation,
    collection,
    statement,
    minute_at,
    cast(sum(operation_count) as bigint) as operation_count,
    cast(sum(error_count) as bigint) as error_count,
    sum(duration_ms_sum) as duration_ms_sum,
    max(duration_ms_max) as duration_ms_max,
    {{ latency_histogram('log_bucket', 'operation_count') }} as latency_histogram,
    cast(sum(returned_rows) as bigint) as returned_rows,
    cast(sum(bytes) as bigint) as bytes
from buckets
group by component, system, operation, collection, statement, minute_at
