{# Log-bucket histograms, by the numbers of `ingestion/meaning/histograms`: what a bucket is, says it. #}
{% macro log_bucket(ms) -%}
    {%- set histogram = var('meaning')['histogram'] -%}
    case when {{ ms }} > 0 then ceil(ln({{ ms }}) / {{ histogram['log_gamma'] }} - {{ histogram['edge_slack'] }})::integer
        else {{ histogram['nothing'] }} end
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
    {%- set histogram = var('meaning')['histogram'] -%}
    create or replace macro {{ schema }}.quantile_ms(histogram, q) as (
        select case when min(bucket) = {{ histogram['nothing'] }} then 0.0
            else 2 * pow({{ histogram['gamma'] }}, min(bucket)) / ({{ histogram['gamma'] }} + 1) end
        from (
            select entry.key as bucket,
                sum(entry.value) over (order by entry.key) as so_far,
                sum(entry.value) over () as total
            from (select unnest(map_entries(histogram)) as entry)
        )
        where so_far >= q * total
    )
{%- endmacro %}
