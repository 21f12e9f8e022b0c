{# First of several attribute names that is present: old and new semantic conventions. #}
{% macro attribute(names, column='attributes') -%}
    coalesce({% for name in names %}{{ column }}['{{ name }}']{% if not loop.last %}, {% endif %}{% endfor %}{% if names | length == 1 %}, null{% endif %})
{%- endmacro %}

{% macro whole_number(names) -%}
    try_cast(try_cast({{ attribute(names) }} as double) as bigint)
{%- endmacro %}
