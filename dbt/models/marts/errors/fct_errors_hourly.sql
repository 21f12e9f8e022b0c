{{ config(pre_hook="{% if is_incremental() %}delete from {{ this }} where hour_at in (select hour_at from memory.landed.error_hours){% else %}select 1{% endif %}") }}

with near as (
    select * from {{ ref('int_error_parts') }}
    where hour_at in (select hour_at from {{ source('landed', 'error_hours') }})
        or hour_at + interval 1 hour in (select hour_at from {{ source('landed', 'error_hours') }})
),

-- Of a span and a log record of one exception the span stays, in whatever pass either came.
once as (
    select * from near
    qualify once is null
        or row_number() over (
            partition by once
            order by is_span desc, first_seen_at asc, component asc, version asc, environment asc, route asc,
                therapeutic_area asc, group_key asc
        ) = 1
),

counted as (
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
    from once
    where hour_at in (select hour_at from {{ source('landed', 'error_hours') }})
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
