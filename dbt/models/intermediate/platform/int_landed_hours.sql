-- Items in the lake by event hour and arrival hour: the lake is partitioned by event time, the
-- ledger counts by arrival. Several rows an hour: one for each part.
{{ config(pre_hook=[
    "{% if is_incremental() %}delete from {{ this }} where part in (select part from memory.landed.new_parts) or (signal, event_hour_at) in (select (signal, hour_at) from memory.landed.dirty_hours where is_whole){% else %}select 1{% endif %}",
    "{{ merge_old_parts('event_hour_at', 'signal, component, event_hour_at, arrival_hour_at, cast(sum(landed_items) as bigint) as landed_items, min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at, max_by(version, last_seen_at) as version, max_by(environment, last_seen_at) as environment, list_distinct(flatten(list(instances))) as instances, list_distinct(flatten(list(hosts))) as hosts') }}",
]) }}

{% for signal, event_time in [('spans', 'start_at'), ('logs', 'event_at'), ('metric_points', 'event_at')] %}
select
    '{{ signal }}' as signal,
    component,
    date_trunc('hour', {{ event_time }}) as event_hour_at,
    date_trunc('hour', received_at) as arrival_hour_at,
    count(*) as landed_items,
    min({{ event_time }}) as first_seen_at,
    max({{ event_time }}) as last_seen_at,
    max_by(component_version, {{ event_time }}) as version,
    max_by(environment, {{ event_time }}) as environment,
    list(distinct component_instance) filter (where component_instance is not null) as instances,
    list(distinct host) filter (where host is not null) as hosts,
    part
from {{ ref('stg_landed__' ~ signal) }}
group by all
{% if not loop.last %}union all{% endif %}
{% endfor %}
