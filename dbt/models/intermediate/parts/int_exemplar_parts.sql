-- What may become an exemplar, by the part that brought it. Aggregates instead of row numbers: these would sort
-- every call of the pass with all that is told of it.
{{ config(pre_hook="{{ forget_exemplar_parts() }}") }}

with ranked as (
    select
        kind, component, name, part, is_failed,
        {{ ten_minutes('placed_at') }} as window_at,
        called,
        {{ exemplar_rank() }} as standing
    from {{ ref('int_events_identified') }} as called  -- noqa: AL05
),

best as (
    select
        arg_max(called, standing, 3) as slowest,
        arg_max(called, standing, 3) filter (where is_failed) as failed
    from ranked
    group by kind, component, name, part, window_at
),

chosen as (
    select unnest(list_distinct(list_concat(slowest, coalesce(failed, []))), max_depth := 2)
    from best
)

select * replace ({{ id_text("lower(hex(trace_id))") }} as trace_id, {{ id_text("lower(hex(span_id))") }} as span_id)
from chosen
