{{ config(materialized='table') }}

select component, signal, field, treatment, hour_at, cast(sum(value_count) as bigint) as value_count
from {{ ref('int_gate_decision_hours') }}
group by all
