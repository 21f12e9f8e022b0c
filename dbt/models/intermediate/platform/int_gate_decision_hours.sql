{{ config(pre_hook="{{ forget_dirty_hours('hour_at', ['gate_decisions']) }}") }}

select component, signal, field, treatment, hour_at, cast(sum(value_count) as bigint) as value_count
from {{ ref('stg_landed__gate_decisions') }}
group by 1, 2, 3, 4, 5
