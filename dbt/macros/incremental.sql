{# Pre-hook of a fact that is rebuilt by hour: late data reopens its hour, and only its hour. #}
{% macro forget_dirty_hours(column, signals) -%}
    {% if is_incremental() %}
    delete from {{ this }}
    where date_trunc('hour', {{ column }}) in (
        select hour_at from memory.landed.dirty_hours
        where signal in ({% for s in signals %}'{{ s }}'{% if not loop.last %}, {% endif %}{% endfor %})
    )
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}
