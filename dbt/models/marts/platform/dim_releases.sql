{{ config(materialized='table') }}

select
    component,
    version,
    environment,
    min(first_seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at
from {{ ref('int_release_hours') }}
group by component, version, environment
