{# Where a WebSocket's span goes: by its attributes, else the path in its name. #}
{% macro websocket_route() -%}
    coalesce(
        {{ meant('websocket_route') }},
        nullif(regexp_extract(name, '{{ var('meaning')['path_in_a_name'] }}', 1), ''),
        name
    )
{%- endmacro %}

{# Post-hook: messages that came in a later pass than the end of their connection count there. #}
{% macro count_late_messages() -%}
    {% if is_incremental() %}
    update {{ this }} as c
    set messages_received = n.messages_received, messages_sent = n.messages_sent,
        messages_per_min = (coalesce(n.messages_received, 0) + coalesce(n.messages_sent, 0))
            / nullif(c.duration_ms / 60000, 0)
    from (
        select
            ended.connection_id,
            coalesce(any_value(ended.told_received), sum(counts.messages_received)) as messages_received,
            coalesce(any_value(ended.told_sent), sum(counts.messages_sent)) as messages_sent
        from {{ ref('int_websocket_connection_spans') }} as ended
        join {{ ref('int_websocket_message_counts') }} as counts using (trace_id, span_id)
        where (trace_id, span_id) in (
            select (trace_id, span_id) from {{ ref('int_websocket_message_counts') }}
            where part in (select part from memory.landed.new_parts)
                or date_trunc('hour', minute_at) in {{ whole_hours(['spans']) }}
        )
        group by 1
    ) as n
    where c.connection_id = n.connection_id
    {% else %}
    select 1
    {% endif %}
{%- endmacro %}
