-- The spans of exemplars' traces: of those that came now, and of the pass before for a trace that came in both.
{{ config(pre_hook="{{ forget_trace_spans() }}") }}

with spans as (
    select * exclude (part) from {{ ref('stg_landed__spans') }}
    union all by name
    select * from {{ source('landed', 'spans_before') }}
),

-- What expands below names fields of events, which the linter takes for tables.
-- noqa: disable=RF03
told as (
    select
        {{ id_text("lower(hex(trace_id))") }} as trace_id,
        {{ id_text("lower(hex(span_id))") }} as span_id,
        {{ id_text("lower(hex(parent_span_id))") }} as parent_span_id,
        component,
        component_instance as instance,
        component_version as version,
        environment,
        kind,
        name,
        start_at,
        duration_ns,
        status_code,
        status_message,
        {{ var('meaning')['attributes_without_people'] }} as attributes,
        {{ var('meaning')['events_without_people'] }} as events
    from spans
    where {{ id_text("lower(hex(trace_id))") }} in (select trace_id from {{ ref('fct_exemplars') }})
)

select * from told
{% if is_incremental() %}
where (trace_id, span_id, start_at, component) not in (select (trace_id, span_id, start_at, component) from {{ this }})
{% endif %}
qualify row_number() over (
    partition by trace_id, span_id, start_at, component order by duration_ns desc, name asc, kind asc
) = 1
