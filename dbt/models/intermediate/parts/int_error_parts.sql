{{ config(pre_hook="{% if is_incremental() %}delete from {{ this }} where part in (select part from memory.landed.error_parts) or hour_at in (select hour_at from memory.landed.error_hours where is_whole) or hour_at < (select part_horizon_at from memory.landed.horizon){% else %}select 1{% endif %}") }}

-- Errors that a span and a log record may both tell (`once`) are a row each, the others are counted.
select
    group_key,
    component,
    coalesce(version, '') as version,
    coalesce(environment, '') as environment,
    coalesce(route, '') as route,
    coalesce(therapeutic_area, '') as therapeutic_area,
    hour_at,
    part,
    once,
    is_span,
    count(*) as error_count,
    list(distinct hash(session)) filter (where session is not null) as sessions,
    min(event_at) as first_seen_at,
    max(event_at) as last_seen_at
from {{ ref('stg_landed__error_occurrences') }}
group by all
