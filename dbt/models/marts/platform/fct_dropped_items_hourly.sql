{{ config(materialized='table') }}

select component, signal, hour_at, reason, cast(sum(items) as bigint) as dropped_items
from {{ ref('int_ledger_hours') }}
where outcome = 'dropped'
group by 1, 2, 3, 4
