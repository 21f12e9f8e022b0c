{{ config(materialized='table') }}

select component, signal, field, treatment, hour_at, value_count
from {{ ref('int_gate_decision_hours') }}
