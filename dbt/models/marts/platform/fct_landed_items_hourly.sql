{{ config(materialized='table') }}

with ledger as (
    select
        component, signal, hour_at,
        sum(items) filter (where outcome = 'arrived') as arrived_items,
        sum(items) filter (where outcome = 'dropped') as dropped_items,
        sum(items) filter (where outcome = 'accepted') as accepted_items,
        sum(items) filter (where outcome = 'rejected') as rejected_items,
        sum(items) filter (where outcome = 'duplicate') as duplicate_items,
        sum(items) filter (where outcome = 'set_aside') as set_aside_items,
        sum(items) filter (where outcome = 'noted') as noted_items
    from {{ ref('int_ledger_hours') }}
    group by 1, 2, 3
),

landed as (
    select component, signal, arrival_hour_at as hour_at, sum(landed_items) as landed_items
    from {{ ref('int_landed_hours') }}
    group by 1, 2, 3
)

select
    component,
    signal,
    hour_at,
    -- Hours that an older version built have no count of arrivals.
    cast(coalesce(arrived_items, accepted_items + coalesce(rejected_items, 0), rejected_items, 0) as bigint) as arrived_items,
    cast(coalesce(accepted_items, 0) as bigint) as accepted_items,
    cast(coalesce(rejected_items, 0) as bigint) as rejected_items,
    cast(coalesce(dropped_items, 0) as bigint) as dropped_items,
    cast(coalesce(duplicate_items, 0) as bigint) as duplicate_items,
    cast(coalesce(set_aside_items, 0) as bigint) as set_aside_items,
    cast(coalesce(noted_items, 0) as bigint) as noted_items,
    cast(coalesce(landed_items, 0) as bigint) as landed_items
from ledger
full join landed using (component, signal, hour_at)
