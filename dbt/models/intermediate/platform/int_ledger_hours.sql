{{ config(pre_hook=[
    "{{ forget_parts('hour_at', ['ledger'], is_kept=true) }}",
    "{{ merge_old_parts('hour_at', 'component, signal, hour_at, outcome, reason, cast(sum(items) as bigint) as items') }}",
]) }}

with ledger as (select * from {{ ref('stg_landed__ledger') }})

select component, signal, hour_at, outcome, reason, cast(sum(items) as bigint) as items, part
from ledger
group by all

union all

-- Receivers of older versions did not count arrivals: nothing but what they accepted and rejected arrived.
select
    component, signal, hour_at, 'arrived' as outcome, 'not_counted_then' as reason,
    cast(sum(items) as bigint) as items, part
from ledger
where outcome in ('accepted', 'rejected')
    and received_at not in (select counted.received_at from ledger as counted where counted.outcome = 'arrived')
group by all
