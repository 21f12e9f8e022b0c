-- What a counter gained at each point: a delta is its value, a cumulative one the difference to the point
-- before, or its whole value after a reset (a new start, a counter that is smaller, fewer observations).
-- What goes up and down (a sum that is not monotonic) gains nothing: its level is told.
{{ config(materialized="table") }}

with points as (
    select
        *,
        attributes::varchar as series_attributes,
        resource_attributes || coalesce(component_instance, '') as series_origin
    from {{ ref('stg_landed__metric_points_context') }}
    where coalesce(value, point_count) is not null
        and (
            kind in ('histogram', 'exponential_histogram', 'summary')
            or (kind = 'sum' and is_monotonic is distinct from false)
        )
),

measured as (
    select
        *,
        coalesce(value, point_sum) as total,
        lag(coalesce(value, point_sum)) over series as total_before,
        lag(start_at) over series as start_before,
        lag(point_count) over series as count_before
    from points
    window series as (
        partition by component, series_origin, metric, kind, series_attributes order by event_at
    )
),

compared as (
    select
        *,
        coalesce(start_at > start_before, false)
            -- A sum of observations may fall where some are negative: their number may not.
            or coalesce(case when point_count is null then total < total_before end, false)
            or coalesce(point_count < count_before, false) as is_reset
    from measured
),

changes as (
    select
        component,
        component_instance,
        host,
        metric,
        attributes,
        event_at,
        date_trunc('minute', event_at) as minute_at,
        case
            when temporality = 'delta' then total
            when total_before is null then null
            when is_reset then total
            else total - total_before
        end as gained,
        case
            when temporality = 'delta' then point_count
            when count_before is null then null
            when is_reset then point_count
            else point_count - count_before
        end as gained_count
    from compared
)

select * from changes
where minute_at in (
    select minute_at from {{ source('landed', 'touched_minutes') }} where signal = 'metric_points'
)
