{{ config(pre_hook="{% if is_incremental() %}delete from {{ this }} where hour_at in (select hour_at from memory.landed.error_hours){% else %}select 1{% endif %}") }}

with counted as (
    select
        group_key,
        component,
        version,
        environment,
        route,
        therapeutic_area,
        hour_at,
        cast(sum(error_count) as bigint) as error_count,
        cast(len(list_distinct(flatten(list(sessions)))) as bigint) as sessions,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from {{ ref('int_error_parts') }}
    where hour_at in (select hour_at from memory.landed.error_hours)
    group by 1, 2, 3, 4, 5, 6, 7
)

select
    group_key,
    component,
    version,
    environment,
    route,
    therapeutic_area,
    hour_at,
    error_count,
    -- Fewer than ten people could be singled out.
    case when sessions >= 10 then sessions end as session_count,
    first_seen_at,
    last_seen_at
from counted
