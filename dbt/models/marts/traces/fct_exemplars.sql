{{ config(pre_hook="{{ forget_touched_exemplars() }}") }}

with parts as (
    select * from {{ ref('int_exemplar_parts') }}
    where {{ ten_minutes('placed_at') }} in {{ touched_exemplar_windows() }}
    -- A span event and a log record may tell of the same error.
    qualify row_number() over (
        partition by kind, component, name, coalesce(once, hash(trace_id, span_id, event_at))
        order by is_span desc, event_at asc, trace_id asc, span_id asc
    ) = 1
),

-- Several errors of a group at one moment of one span are one example of it.
single as (
    select * from parts
    qualify row_number() over (
        partition by kind, component, name, trace_id, span_id, event_at
        order by is_span desc, once asc
    ) = 1
)

select
    kind, event_at, {{ ten_minutes('placed_at') }} as window_at, component, version, environment, name, verb, system, status,
    duration_ms, is_failed,
    case when is_failed then error_type end as error_type,
    input_tokens, output_tokens, trace_id, span_id
from single
qualify {{ is_exemplar() }}
