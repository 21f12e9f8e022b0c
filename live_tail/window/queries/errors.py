"""Queries about errors: failed spans, groups, and which groups a trace holds.

Here: SQL. Not here: how errors are grouped (`ingestion/meaning/errors`).
"""

from live_tail.window.queries.named_query import (
    LIMIT,
    RELEASED,
    ROUTE,
    STEP_SQL,
    STEPPED,
    TIMED,
    NamedQuery,
    Parameter,
    where,
)

_FILTERS = {**TIMED, **RELEASED, **ROUTE}
_BY_STEP = {**STEPPED, **RELEASED, **ROUTE}
_ONLY = where(_FILTERS, "environment", "version", "route")

QUERIES: dict[str, NamedQuery] = {
    "recent_errors": NamedQuery(
        "The latest failed spans.",
        "SELECT event_at, component, name, status_message, exception_type FROM hot_errors"
        " ORDER BY event_at DESC LIMIT $limit",
        {"limit": LIMIT},
    ),
    "error_groups": NamedQuery(
        "Error groups, most errors first; sessions are null below ten.",
        f"""SELECT group_key, max_by(title, event_at) AS title, max_by(culprit, event_at) AS culprit,
            max_by(exception_type, event_at) AS exception_type, list(DISTINCT component) AS components,
            count(*) AS error_count, min(event_at) AS first_seen_at, max(event_at) AS last_seen_at,
            CASE WHEN count(DISTINCT session) >= 10 THEN count(DISTINCT session) END AS session_count,
            bool_or(is_content_delivery) AS is_content_delivery, max_by(trace_id, event_at) AS trace_id
        FROM hot_error_groups WHERE {_ONLY} GROUP BY 1 ORDER BY error_count DESC, group_key""",
        _FILTERS,
    ),
    "error_counts": NamedQuery(
        "Errors by time and group.",
        f"SELECT {STEP_SQL} AS bucket_at, group_key, count(*) AS error_count FROM hot_error_groups"
        f" WHERE {_ONLY} GROUP BY 1, 2 ORDER BY 1, 2",
        _BY_STEP,
    ),
    "error_group": NamedQuery(
        "The latest errors of one group, with stack, route, release and trace.",
        "SELECT event_at, component, version, environment, route, exception_type, message, culprit,"
        " rule, explanation, stack, breadcrumbs, trace_id, is_content_delivery FROM hot_error_groups"
        " WHERE group_key = $key ORDER BY event_at DESC LIMIT $limit",
        {"key": Parameter("Group key."), "limit": Parameter("Rows.", 20, 1, 200)},
    ),
    "error_releases": NamedQuery(
        "Releases in which one group was seen, the newest first; empty where none was told.",
        f"""SELECT coalesce(version, '') AS version, string_agg(DISTINCT component, ', ' ORDER BY component)
            AS components, count(*) AS errors, min(event_at) AS first_seen_at, max(event_at) AS last_seen_at
        FROM hot_error_groups WHERE {_ONLY} AND group_key = $key
        GROUP BY 1 ORDER BY last_seen_at DESC, version""",
        {**_FILTERS, "key": Parameter("Group key.")},
    ),
    "trace_errors": NamedQuery(
        "Errors of one trace, with their groups.",
        "SELECT event_at, component, group_key, title, culprit, exception_type, route FROM"
        " hot_error_groups WHERE trace_id = lower($trace_id) ORDER BY event_at, group_key",
        {"trace_id": Parameter("Trace id, 32 hex digits.")},
    ),
}
