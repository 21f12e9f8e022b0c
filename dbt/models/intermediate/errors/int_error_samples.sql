-- The latest error of each group that this build saw: what a group looks like.
select
    group_key,
    max_by(title, event_at) as title,
    max_by(exception_type, event_at) as exception_type,
    max_by(culprit, event_at) as culprit,
    max_by(rule, event_at) as rule,
    max_by(explanation, event_at) as explanation,
    max_by(stack, event_at) as sample_stack,
    bool_or(is_content_delivery) as is_content_delivery
from {{ ref('stg_landed__error_occurrences') }}
group by group_key
