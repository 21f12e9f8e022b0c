-- What may become an exemplar, by the part that brought it.
{{ config(pre_hook="{{ forget_exemplar_parts() }}") }}

select * replace ({{ id_text("lower(hex(trace_id))") }} as trace_id, {{ id_text("lower(hex(span_id))") }} as span_id)
from {{ ref('int_events_identified') }}
qualify {{ is_exemplar(', part') }}
