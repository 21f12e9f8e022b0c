{{ config(materialized='table') }}

select component, signal, hour_at, reason, cast(sum(items) as bigint) as rejected_items
from {{ ref('int_ledger_hours') }}
where outcome = 'rejected'
group by 1, 2, 3, 4
