-- It warns, and `status` tells it: a count that is off holds up nobody's marts.
{{ config(severity='warn') }}

-- Whatever arrived was accepted, rejected or dropped; what was accepted is in the lake, was there already or
-- is set aside. By component, but for hours with a batch that does not even say whose it is.
with hours as (
    select
        *,
        bool_or(component = 'unknown' and set_aside_items <> 0) over (partition by signal, hour_at) as is_anonymous
    from {{ ref('fct_landed_items_hourly') }}
)

select
    signal, hour_at, if(is_anonymous, 'all', component) as whose,
    sum(arrived_items) as arrived, sum(accepted_items) as accepted, sum(landed_items) as landed
from hours
group by all
having sum(arrived_items) <> sum(accepted_items) + sum(rejected_items) + sum(dropped_items)
    or sum(accepted_items) <> sum(landed_items) + sum(duplicate_items) + sum(set_aside_items)
