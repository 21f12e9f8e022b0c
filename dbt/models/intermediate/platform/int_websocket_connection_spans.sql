-- Which connection a span is, for messages that come in a later pass than its end.
{{ config(pre_hook="{% if is_incremental() %}delete from {{ this }} where connection_id in (select connection_id from {{ ref('int_websocket_connections') }}) or date_trunc('hour', opened_at) in {{ whole_hours(['spans']) }}{% else %}select 1{% endif %}") }}

select connection_id, trace_id, span_id, opened_at, told_received, told_sent
from {{ ref('int_websocket_connections') }}
