{#
  Exemplars: of each key and ten minutes the slowest three and the slowest three that failed. Ties are broken by
  what they are, so that parts give what one build of everything gives.
#}
{% macro ten_minutes(column) -%}
    time_bucket(interval 10 minutes, {{ column }})
{%- endmacro %}

{% macro touched_ten_minutes(signals) -%}
    (select {{ ten_minutes('minute_at') }} from memory.landed.touched_minutes where signal in {{ sql_list(signals) }})
{%- endmacro %}

{% macro forget_touched_ten_minutes(signals, column) -%}
    {% if is_incremental() %}
    delete from {{ this }} where {{ ten_minutes(column) }} in {{ touched_ten_minutes(signals) }}
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}

{% macro is_exemplar() -%}
    row_number() over (
        partition by kind, component, name, {{ ten_minutes('placed_at') }}
        order by {{ exemplar_rank() }} desc
    ) <= 3
    or (is_failed and row_number() over (
        partition by kind, component, name, is_failed, {{ ten_minutes('placed_at') }}
        order by {{ exemplar_rank() }} desc
    ) <= 3)
{%- endmacro %}

{# The greatest come first: the slowest, of equals and of what has no duration the newest. #}
{% macro exemplar_rank() -%}
    row(coalesce(duration_ms, -1), event_at, trace_id, span_id)
{%- endmacro %}

{# A record's ten minutes hold the newest five lines of a pattern. #}
{% macro is_among_newest_lines(further='') -%}
    row_number() over (
        partition by component, severity, pattern_key, {{ ten_minutes('event_at') }}{{ further }}
        order by event_at desc, trace_id nulls last, span_id nulls last, body
    ) <= 5
{%- endmacro %}

{# Pre-hook: spans of hours that are made anew, of traces that are no exemplars any more. #}
{% macro forget_trace_spans() -%}
    {% if is_incremental() %}
    delete from {{ this }}
    where date_trunc('hour', start_at) in {{ whole_hours(['spans']) }}
        or trace_id not in (select trace_id from {{ ref('fct_exemplars') }})
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}

{# Pre-hook: exemplars of what this pass reads anew; those of errors follow the hours that are grouped anew. #}
{% macro forget_exemplar_parts() -%}
    {% if is_incremental() %}
    delete from {{ this }}
    where placed_at < (select part_horizon_at from memory.landed.horizon)
        or (kind <> 'error' and (
            part in (select part from memory.landed.new_parts)
            or date_trunc('hour', placed_at) in {{ whole_hours(['spans']) }}
        ))
        or (kind = 'error' and (
            part in (select part from memory.landed.error_parts)
            or date_trunc('hour', placed_at) in (select hour_at from memory.landed.error_hours where is_whole)
        ))
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}

{# The ten minutes of which exemplars may be others now. #}
{% macro touched_exemplar_windows() -%}
    (
        select {{ ten_minutes('minute_at') }} from memory.landed.touched_minutes where signal = 'spans'
        union
        select {{ ten_minutes('placed_at') }} from {{ ref('int_exemplar_parts') }}
        where kind = 'error' and part in (select part from memory.landed.error_parts)
        union
        select hour_at + to_minutes(10 * unnest(range(6))) from memory.landed.error_hours where is_whole
    )
{%- endmacro %}

{% macro forget_touched_exemplars() -%}
    {% if is_incremental() %}
    delete from {{ this }} where window_at in {{ touched_exemplar_windows() }}
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}
