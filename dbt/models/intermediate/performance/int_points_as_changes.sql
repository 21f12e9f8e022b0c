-- What a counter gained at each point: a delta sum is its value, a cumulative sum the difference to
-- the point before, or its whole value after a reset (a smaller value or a new start).
with points as (
    select
        *,
        attributes::varchar as series_attributes,
        resource_attributes || coalesce(component_instance, '') as series_origin
    from {{ ref('stg_landed__metric_points_context') }}
    where kind in ('sum', 'histogram') and coalesce(value, point_count) is not null
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
        partition by component, series_origin, metric, series_attributes order by event_at
    )
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
            when total < total_before or start_at > start_before then total
            else total - total_before
        end as gained,
        case
            when temporality = 'delta' then point_count
            when count_before is null then null
            when point_count < count_before or start_at > start_before then point_count
            else point_count - count_before
        end as gained_count
    from measured
)

select changes.* from changes
where minute_at in (
    select minute_at from {{ source('landed', 'touched_minutes') }} where signal = 'metric_points'
)
