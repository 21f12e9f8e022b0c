-- depends_on: {{ ref("int_websocket_connection_spans") }}
{{ config(
    pre_hook="{% if is_incremental() %}delete from {{ this }} where connection_id in (select connection_id from {{ ref('int_websocket_connections') }}) or date_trunc('hour', opened_at) in {{ whole_hours(['spans']) }}{% else %}select 1{% endif %}",
    post_hook="{{ count_late_messages() }}"
) }}

with counts as (
    select
        trace_id,
        span_id,
        cast(sum(messages_received) as bigint) as messages_received,
        cast(sum(messages_sent) as bigint) as messages_sent
    from {{ ref('int_websocket_message_counts') }}
    where (trace_id, span_id) in (select (trace_id, span_id) from {{ ref('int_websocket_connections') }})
    group by 1, 2
),

connections as (
    select
        ended.*,
        coalesce(told_received, counts.messages_received) as messages_received,
        coalesce(told_sent, counts.messages_sent) as messages_sent
    from {{ ref('int_websocket_connections') }} as ended
    left join counts using (trace_id, span_id)
)

select
    connection_id, component, route, opened_at, duration_ms, messages_received, messages_sent,
    (coalesce(messages_received, 0) + coalesce(messages_sent, 0))
        / nullif(duration_ms / 60000, 0) as messages_per_min,
    bytes_received, bytes_sent, close_code, session
from connections
