{# What a span is: a request, a call of a model, and what names they have. Read by aggregates and exemplars. #}
{% macro is_request() -%}
    http_method is not null
        and asgi_event is null
        and kind not in {{ words(var('meaning')['kinds_of_calls_out']) }}
        and coalesce(url_scheme, 'http') not in {{ words(var('meaning')['websocket_schemes']) }}
{%- endmacro %}

{% macro is_model_call() -%}
    (ai_operation is not null or ai_model is not null)
        {% for name, kinds in var('meaning')['no_model_calls'].items() -%}
        and lower(coalesce({{ attribute([name]) }}, '')) not in {{ words(kinds) }}
        {% endfor %}
{%- endmacro %}

{% macro ai_operation_name() -%}
    coalesce(ai_operation, case upper({{ meant('ai_kind') }})
        {% for kind, operation in var('meaning')['ai_operations_by_kind'].items() -%}
        when '{{ kind }}' then '{{ operation }}'
        {% endfor %}
    end, 'unknown')
{%- endmacro %}

{% macro db_operation_name() -%}
    upper(coalesce(
        {{ meant('db_operation') }},
        nullif(regexp_extract({{ meant('db_statement') }}, '^\s*([A-Za-z_.]+)', 1), ''),
        split_part(name, ' ', 1)
    ))
{%- endmacro %}
