{{ config(pre_hook="{{ forget_parts('minute_at', ['spans']) }}") }}

with spans as (
    select * from {{ ref('stg_landed__spans') }}
    where db_system is not null
),

named as (
    select
        *,
        {{ meant('db_statement') }} as statement_text,
        {{ whole_number(var('meaning')['attributes']['db_returned_rows']) }} as rows_returned,
        {{ whole_number(['db.response.bytes']) }} as bytes_returned
    from spans
),

operations as (
    select
        *,
        {{ db_operation_name() }} as operation,
        coalesce({{ meant('db_collection') }}, '') as collection,
        left(coalesce(statement_text, ''), {{ var('meaning')['statement_characters'] }}) as statement
    from named
)

select
    component, db_system as system, operation, collection, statement, minute_at, part,
    {{ log_bucket('duration_ms') }} as log_bucket,
    count(*) as operation_count,
    count(*) filter (where status_code = 'ERROR' or error_type is not null) as error_count,
    sum(duration_ms) as duration_ms_sum,
    max(duration_ms) as duration_ms_max,
    cast(sum(rows_returned) as bigint) as returned_rows,
    cast(sum(bytes_returned) as bigint) as bytes
from operations
group by all
