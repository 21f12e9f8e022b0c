-- Over all hours: what was acknowledged is in the lake, was there already, or is set aside.
select component, signal, sum(accepted_items) as accepted, sum(landed_items) as landed
from {{ ref('fct_landed_items_hourly') }}
group by 1, 2
having sum(accepted_items) <> sum(landed_items) + sum(duplicate_items) + sum(set_aside_items)
