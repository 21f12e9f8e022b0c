{{ config(materialized='table') }}

with hours as (
    select * from {{ ref('int_landed_hours') }}
)

select
    component,
    min(first_seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at,
    max_by(version, last_seen_at) as version,
    max_by(environment, last_seen_at) as environment,
    cast(len(list_distinct(flatten(list(instances)))) as integer) as instance_count,
    cast(len(list_distinct(flatten(list(hosts)))) as integer) as host_count,
    cast(coalesce(sum(landed_items) filter (where signal = 'spans'), 0) as bigint) as spans,
    cast(coalesce(sum(landed_items) filter (where signal = 'logs'), 0) as bigint) as logs,
    cast(coalesce(sum(landed_items) filter (where signal = 'metric_points'), 0) as bigint)
        as metric_points
from hours
group by component
