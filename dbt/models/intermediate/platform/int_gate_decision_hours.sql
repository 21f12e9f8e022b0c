{{ config(pre_hook=[
    "{{ forget_parts('hour_at', ['gate_decisions'], is_kept=true) }}",
    "{{ merge_old_parts('hour_at', 'component, signal, field, treatment, hour_at, cast(sum(value_count) as bigint) as value_count') }}",
]) }}

select component, signal, field, treatment, hour_at, cast(sum(value_count) as bigint) as value_count, part
from {{ ref('stg_landed__gate_decisions') }}
group by all
