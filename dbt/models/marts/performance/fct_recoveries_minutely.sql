{{ config(pre_hook="{{ forget_touched_minutes(['spans']) }}") }}

select
    component,
    version,
    environment,
    minute_at,
    cast(sum(attempt_count) as bigint) as attempt_count,
    cast(sum(retry_count) as bigint) as retry_count,
    cast(sum(failed_attempt_count) as bigint) as failed_attempt_count,
    cast(sum(fallback_count) as bigint) as fallback_count,
    cast(sum(used_fallback_count) as bigint) as used_fallback_count
from {{ ref('int_recovery_parts') }}
where minute_at in {{ touched_minutes(['spans']) }}
group by component, version, environment, minute_at
