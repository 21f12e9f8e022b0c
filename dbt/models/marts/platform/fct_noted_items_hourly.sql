{{ config(materialized='table') }}

select component, signal, hour_at, reason, cast(sum(items) as bigint) as noted_items
from {{ ref('int_ledger_hours') }}
where outcome = 'noted'
group by 1, 2, 3, 4
