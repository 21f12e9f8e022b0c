{#
  Whether a mart is sound, in one scan: one row a grain, columns that are always there, counts that are
  not negative, parts not above their whole, words of a list. Returns one row with a count for each
  condition when one is broken.
#}
{% test is_sound(model, grain=[], not_null=[], not_negative=[], not_above={}, one_of={}) %}
    select * from (
        select
            {% if grain %}count(*) - count(distinct ({{ grain | join(', ') }}, 0)) as rows_that_share_a_grain,{% endif %}
            {% for column in not_null %}count(*) filter (where {{ column }} is null) as {{ column }}_missing,
            {% endfor %}
            {% for column in not_negative %}count(*) filter (where {{ column }} < 0) as {{ column }}_negative,
            {% endfor %}
            {% for column, whole in not_above.items() %}count(*) filter (where {{ column }} > {{ whole }}) as {{ column }}_above_{{ whole }},
            {% endfor %}
            {% for column, words in one_of.items() %}count(*) filter (where {{ column }} not in {{ sql_list(words) }}) as {{ column }}_unknown,
            {% endfor %}
            0 as nothing
        from {{ model }}
    ) as broken
    where greatest(*columns(*)) > 0
{% endtest %}

{#
  Whether what senders measured can be true. It warns: one sender's odd value holds up nobody. Returns the
  rows that are odd.
#}
{% test is_plausible(model, not_negative=[]) %}
    select * from {{ model }}
    where {% for column in not_negative %}{{ column }} < 0{% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}
