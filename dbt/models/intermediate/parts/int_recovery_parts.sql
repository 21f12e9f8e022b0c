{{ config(pre_hook="{{ forget_parts('minute_at', ['spans']) }}") }}

with attempts as (
    select
        *,
        {{ whole_number(var('meaning')['attributes']['retry_attempt']) }} as attempt,
        {{ meant('fallback_used') }} as fallback_used
    from {{ ref('stg_landed__spans') }}
)

select
    component,
    coalesce(component_version, '') as version,
    coalesce(environment, '') as environment,
    minute_at,
    part,
    count(*) filter (where attempt >= 1) as attempt_count,
    count(*) filter (where attempt > 1) as retry_count,
    count(*) filter (where attempt >= 1 and status_code = 'ERROR') as failed_attempt_count,
    count(fallback_used) as fallback_count,
    count(*) filter (where lower(fallback_used) = 'true') as used_fallback_count
from attempts
where attempt is not null or fallback_used is not null
group by all
