{{ config(pre_hook="{{ forget_dirty_hours('hour_at', ['ledger']) }}") }}

select component, signal, hour_at, outcome, reason, cast(sum(items) as bigint) as items
from {{ ref('stg_landed__ledger') }}
group by 1, 2, 3, 4, 5
