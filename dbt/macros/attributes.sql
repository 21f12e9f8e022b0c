{# First of several attribute names that is present: old and new semantic conventions. #}
{% macro attribute(names, column='attributes') -%}
    coalesce({% for name in names %}{{ column }}['{{ name }}']{% if not loop.last %}, {% endif %}{% endfor %}{% if names | length == 1 %}, null{% endif %})
{%- endmacro %}

{# The attribute that says it, whatever its sender calls it: `ingestion/meaning/names.yaml`. #}
{% macro meant(meaning) -%}
    {{ attribute(var('meaning')['attributes'][meaning]) }}
{%- endmacro %}

{# A list of words as SQL. #}
{% macro words(listed) -%}
    ({% for word in listed %}'{{ word }}'{% if not loop.last %}, {% endif %}{% endfor %})
{%- endmacro %}

{% macro whole_number(names) -%}
    {# A count that no call can have is none: sums of what is left fit wherever they are kept. #}
    cast({{ number_within(attribute(names), 1e12) }} as bigint)
{%- endmacro %}

{# What a sender wrote as a number, null where it is none, less than 0 or more than can be meant. #}
{% macro number_within(text, most) -%}
    case when try_cast({{ text }} as double) between 0 and {{ most }} then try_cast({{ text }} as double) end
{%- endmacro %}

{# A measured value as a whole number; null where it is not finite or too large. #}
{% macro whole(value) -%}
    try_cast({{ value }} as bigint)
{%- endmacro %}

{#
  Metric points as they may be counted: a value that is no finite number is no value, and a point that says
  that nothing was recorded (bit 0 of its flags) has none at all.
#}
{% macro measured_points(points) -%}
    select * replace (
        case when isfinite(value) and not {{ nothing_recorded() }} then value end as value,
        case when isfinite(point_sum) and not {{ nothing_recorded() }} then point_sum end as point_sum,
        case when not {{ nothing_recorded() }} then point_count end as point_count
    )
    from {{ points }}
{%- endmacro %}

{% macro nothing_recorded() -%}
    coalesce(flags & 1 = 1, false)
{%- endmacro %}
