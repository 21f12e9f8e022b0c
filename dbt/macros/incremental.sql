{#
  How marts follow what arrived. New rows carry `part`, the plan that landed them, or 0 in an hour that
  is built whole. Aggregates by part add up; so a pass reads new rows only, a pass that is done again
  replaces its own part, and late data changes its own minutes. Parts of hours before `part_horizon` go:
  such an hour is built whole when it changes.
#}

{# The hours of signals in which rows went or that are old: their aggregates are made anew. #}
{% macro whole_hours(signals) -%}
    (select hour_at from memory.landed.dirty_hours where is_whole and signal in {{ sql_list(signals) }})
{%- endmacro %}

{# The minutes of signals in which something changed. #}
{% macro touched_minutes(signals) -%}
    (select minute_at from memory.landed.touched_minutes where signal in {{ sql_list(signals) }})
{%- endmacro %}

{# The hours of these minutes. #}
{% macro touched_hours(signals) -%}
    (select date_trunc('hour', minute_at) from memory.landed.touched_minutes where signal in {{ sql_list(signals) }})
{%- endmacro %}

{% macro sql_list(words) -%}
    ({% for word in words %}'{{ word }}'{% if not loop.last %}, {% endif %}{% endfor %})
{%- endmacro %}

{# Pre-hook of aggregates by part: what this pass makes anew, and unless told otherwise what is old. #}
{% macro forget_parts(column, signals, is_kept=false) -%}
    {% if is_incremental() %}
    delete from {{ this }}
    where part in (select part from memory.landed.new_parts)
        or date_trunc('hour', {{ column }}) in {{ whole_hours(signals) }}
        {% if not is_kept %}or {{ column }} < (select part_horizon_at from memory.landed.horizon){% endif %}
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}

{# Pre-hook of a mart by minute: the minutes that changed, and nothing else, are made anew. #}
{% macro forget_touched_minutes(signals, column='minute_at') -%}
    {% if is_incremental() %}
    delete from {{ this }} where {{ column }} in {{ touched_minutes(signals) }}
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}

{# Pre-hook of a mart by hour. #}
{% macro forget_touched_hours(signals, column='hour_at') -%}
    {% if is_incremental() %}
    delete from {{ this }} where {{ column }} in {{ touched_hours(signals) }}
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}

{# Pre-hook: parts that nobody replaces any more become one row a key; `aggregates` names and makes it. #}
{% macro merge_old_parts(column, aggregates) -%}
    {% if is_incremental() %}
    create or replace temp table merged_parts as
        select {{ aggregates }}, 0 as part from {{ this }}
        where part > 0 and {{ column }} < (select part_horizon_at from memory.landed.horizon)
        group by all;
    delete from {{ this }}
        where part > 0 and {{ column }} < (select part_horizon_at from memory.landed.horizon);
    insert into {{ this }} by name from merged_parts;
    drop table merged_parts
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}

{# A test of a mart by minute looks at the minutes that this pass made; the others were looked at. #}
{% macro get_where_subquery(relation) -%}
    {%- if relation.identifier.endswith('_minutely') -%}
        (select * from {{ relation }} where minute_at in (select minute_at from memory.landed.touched_minutes)) as touched
    {%- elif relation.identifier in ('fct_metric_points_hourly',) -%}
        (select * from {{ relation }} where hour_at in {{ touched_hours(['metric_points']) }}) as touched
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# New rows stand in a temporary table first, which would stay until the pass ends: a quarter of a megabyte
   a column. #}
{% macro duckdb__get_incremental_append_sql(arg_dict) -%}
    {{ default__get_incremental_append_sql(arg_dict) }};
    drop table {{ arg_dict['temp_relation'] }}
{%- endmacro %}
