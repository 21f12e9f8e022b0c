{% test unique_grain(model, columns) %}
    select {{ columns | join(', ') }}, count(*) as copies
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}

{% test not_negative(model, column_name) %}
    select * from {{ model }} where {{ column_name }} < 0
{% endtest %}

{% test not_above(model, column_name, other) %}
    select * from {{ model }} where {{ column_name }} > {{ other }}
{% endtest %}
