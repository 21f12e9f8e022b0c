{{ config(pre_hook="{% if is_incremental() %}delete from {{ this }} where hour_at in (select hour_at from memory.landed.error_hours){% else %}select 1{% endif %}") }}

with errors as (
    select * from {{ ref('stg_landed__error_occurrences') }}
)

select
    group_key,
    component,
    coalesce(version, '') as version,
    coalesce(environment, '') as environment,
    coalesce(route, '') as route,
    coalesce(therapeutic_area, '') as therapeutic_area,
    hour_at,
    count(*) as error_count,
    -- Fewer than ten people could be singled out.
    case when count(distinct session) >= 10 then count(distinct session) end as session_count,
    min(event_at) as first_seen_at,
    max(event_at) as last_seen_at
from errors
group by 1, 2, 3, 4, 5, 6, 7
