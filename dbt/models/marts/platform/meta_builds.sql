{{ config(materialized='table') }}

select
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as built_at,
    max(last_seen_at) as data_through_at,
    (select count(*) from {{ source('landed', 'dirty_hours') }}) as rebuilt_hours,
    cast(coalesce(sum(landed_items), 0) as bigint) as items
from {{ ref('int_landed_hours') }}
