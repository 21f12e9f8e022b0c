-- Who was heard under which release, by hour; several rows an hour: one for each part.
{{ config(pre_hook=[
    "{% if is_incremental() %}delete from {{ this }} where part in (select part from memory.landed.new_parts) or (signal, hour_at) in (select (signal, hour_at) from memory.landed.dirty_hours where is_whole){% else %}select 1{% endif %}",
    "{{ merge_old_parts('hour_at', 'signal, component, version, environment, hour_at, min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at') }}",
]) }}

{% for signal, event_time in [('spans', 'start_at'), ('logs', 'event_at'), ('metric_points', 'event_at')] %}
select
    '{{ signal }}' as signal,
    component,
    coalesce(component_version, '') as version,
    coalesce(environment, '') as environment,
    date_trunc('hour', {{ event_time }}) as hour_at,
    min({{ event_time }}) as first_seen_at,
    max({{ event_time }}) as last_seen_at,
    part
from {{ ref('stg_landed__' ~ signal) }}
group by all
{% if not loop.last %}union all{% endif %}
{% endfor %}
