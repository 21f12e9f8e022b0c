-- Log records with their pattern (`ingestion/meaning/log_patterns`).
{{ config(materialized="table") }}

select
    event_at,
    date_trunc('minute', event_at) as minute_at,
    component,
    coalesce(component_version, '') as version,
    coalesce(environment, '') as environment,
    {{ var('meaning')['severity'] | replace('NUMBER', 'severity_number') }} as severity,
    left(text, {{ var('meaning')['body_characters'] }}) as body,
    {{ var('meaning')['pattern_key'] | replace('PATTERN', 'pattern') }} as pattern_key,
    pattern,
    {{ id_text("lower(hex(trace_id))") }} as trace_id,
    {{ id_text("lower(hex(span_id))") }} as span_id,
    part
from (select *, coalesce(body, event_name, '') as text from {{ ref('stg_landed__logs') }})
inner join {{ source('landed', 'log_patterns') }} using (text)
