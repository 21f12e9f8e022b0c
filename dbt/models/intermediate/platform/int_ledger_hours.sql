{{ config(pre_hook=[
    "{{ forget_parts('hour_at', ['ledger'], is_kept=true) }}",
    "{{ merge_old_parts('hour_at', 'component, signal, hour_at, outcome, reason, cast(sum(items) as bigint) as items') }}",
]) }}

select component, signal, hour_at, outcome, reason, cast(sum(items) as bigint) as items, part
from {{ ref('stg_landed__ledger') }}
group by all
