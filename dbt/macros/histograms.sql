{#
  Log-bucket histograms: bucket i holds (gamma^(i-1), gamma^i] with gamma = 1.01 / 0.99, so that the
  estimate 2 * gamma^i / (gamma + 1) is within 1 % of every value in it (DDSketch, Masson et al. 2019).
  -1000 holds what is not positive. Histograms merge by adding counts.
#}
{% macro log_bucket(ms) -%}
    case when {{ ms }} > 1e-6 then ceil(ln({{ ms }}) / ln(1.01 / 0.99))::integer else -1000 end
{%- endmacro %}

{# The histogram of rows that hold a bucket and how many fell into it, each bucket once. #}
{% macro latency_histogram(bucket, n) -%}
    cast(map_from_entries(list({'k': {{ bucket }}, 'v': {{ n }}} order by {{ bucket }})) as map(integer, bigint))
{%- endmacro %}

{# The same macros stand in every published file, so that people can merge and ask. #}
{% macro create_published_macros() -%}
    {{ published_macros('warehouse.main') }}
{%- endmacro %}

{% macro published_macros(schema) -%}
    create or replace macro {{ schema }}.quantile_ms(histogram, q) as (
        select case when min(bucket) = -1000 then 0.0
            else 2 * pow(1.01 / 0.99, min(bucket)) / (1.01 / 0.99 + 1) end
        from (
            select entry.key as bucket,
                sum(entry.value) over (order by entry.key) as so_far,
                sum(entry.value) over () as total
            from (select unnest(map_entries(histogram)) as entry)
        )
        where so_far >= q * total
    )
{%- endmacro %}
