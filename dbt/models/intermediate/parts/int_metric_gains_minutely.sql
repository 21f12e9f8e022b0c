-- What counters gained, by minute, so that an hour is the sum of its minutes.
{{ config(pre_hook="{% if is_incremental() %}delete from {{ this }} where minute_at in {{ touched_minutes(['metric_points']) }} or minute_at < (select part_horizon_at from memory.landed.horizon){% else %}select 1{% endif %}") }}

select
    component,
    metric,
    attributes::varchar as series,
    minute_at,
    sum(gained) as gained,
    {{ whole('sum(gained_count)') }} as gained_observations
from {{ ref('int_points_as_changes') }}
group by all
