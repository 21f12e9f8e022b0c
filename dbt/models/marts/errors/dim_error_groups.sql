{{ config(
    materialized='incremental',
    pre_hook="{% if is_incremental() %}create or replace temp table error_groups_before as select * from {{ this }}; delete from {{ this }}{% else %}select 1{% endif %}"
) }}

with samples as (
    select * from {{ ref('int_error_samples') }}
),

known as (
    select * exclude (age) from (
        select group_key, title, exception_type, culprit, rule, explanation, sample_stack,
            is_content_delivery, 0 as age
        from samples
        {% if is_incremental() %}
        union all
        select group_key, title, exception_type, culprit, rule, explanation, sample_stack,
            is_content_delivery, 1 as age
        from error_groups_before
        {% endif %}
    )
    qualify row_number() over (partition by group_key order by age) = 1
),

counted as (
    select
        group_key,
        cast(sum(error_count) as bigint) as error_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        cast(count(distinct component) as bigint) as component_count,
        max_by(component, error_count) as component
    from {{ ref('fct_errors_hourly') }}
    group by group_key
)

select
    group_key,
    split_part(group_key, ':', 1) as grouping_version,
    title,
    exception_type,
    culprit,
    rule,
    explanation,
    sample_stack,
    is_content_delivery,
    component,
    component_count,
    error_count,
    first_seen_at,
    last_seen_at,
    coalesce(states.state, 'unknown') as state,
    states.resolved_in
from counted
inner join known using (group_key)
left join {{ source('landed', 'error_states') }} as states using (group_key)
