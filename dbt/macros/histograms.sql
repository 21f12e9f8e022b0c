{# Log-bucket histograms, by the numbers of `ingestion/meaning/histograms`: what a bucket is, says it. #}
{% macro log_bucket(ms) -%}
    {{ var('meaning')['histogram']['bucket'] | replace('MS', ms) }}
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
        select {{ var('meaning')['histogram']['milliseconds'] | replace('BUCKET', 'min(bucket)') }}
        from (
            select entry.key as bucket,
                sum(entry.value) over (order by entry.key) as so_far,
                sum(entry.value) over () as total
            from (select unnest(map_entries(histogram)) as entry)
        )
        where so_far >= q * total
    )
{%- endmacro %}
