"""Queries about single events: the tail, exemplars, traces, log lines, and finding what has a name.

Here: SQL, and reading a trace back from the spool. Not here: which events are kept
(`live_tail/window/recent`). Ids are lower-case hex. No answer holds a pseudonym of a person or a session.
"""

from collections.abc import Mapping

import pyarrow as pa

from ingestion.contracts import SIGNALS
from ingestion.meaning.log_patterns import LONGEST_BODY, key_sql, severity_sql
from ingestion.meaning.span_ids import id_sql
from ingestion.meaning.without_people import events_without_people_sql, without_people_sql
from live_tail.window.queries.named_query import (
    COMPONENT,
    LIMIT,
    MODEL,
    RELEASED,
    ROUTE,
    STEP,
    TIMED,
    WORDS,
    BadQuery,
    NamedQuery,
    Parameter,
    Values,
    only,
    where,
    words,
)
from live_tail.window.recent.recent import Recent

_AFTER = Parameter("Only what happened after this, microseconds since 1970.", None, 0, 2**53)
_KINDS = ("requests", "errors", "ai_calls")
_TRACE_ID = {"trace_id": Parameter("Trace id, 32 hex digits.")}
_SPAN, _PARENT = (id_sql(f"lower(hex({name}))") for name in ("span_id", "parent_span_id"))
_HEX = f"lower(hex(trace_id)) AS trace_id, {_SPAN} AS span_id"
_LOGGED = {
    **TIMED,
    **RELEASED,
    "severity": Parameter("Only this severity: trace, debug, info, warning, error, fatal.", None),
    "q": WORDS,
    "pattern": Parameter("Only this pattern, by its key.", None),
}
_PATTERN = f"($pattern IS NULL OR {key_sql('pattern')} = $pattern)"
_LOG_FILTERS = ("environment", "version", "severity")

_TAIL = f"""
WITH events AS (
    SELECT CASE kind WHEN 'request' THEN 'requests' ELSE 'ai_calls' END AS kind, event_at, component, version,
        environment, CASE kind WHEN 'request' THEN verb END AS method,
        CASE kind WHEN 'request' THEN name END AS route, status, duration_ms, is_failed, error_type,
        CASE kind WHEN 'ai_call' THEN name END AS model, input_tokens, output_tokens,
        NULL AS title, NULL AS group_key, {_HEX}
    FROM recent_tail
    UNION ALL
    SELECT 'errors', event_at, component, version, environment, NULL, route, NULL, NULL, true,
        exception_type, NULL, NULL, NULL, title, group_key, trace_id, NULL
    FROM hot_error_groups
)
SELECT * FROM events
WHERE ($kind IS NULL OR kind = $kind) AND ({only("component")}) AND ({only("environment")})
    AND ({only("version")}) AND ({only("route")}) AND ({only("model")})
    AND ($after IS NULL OR event_at > make_timestamp($after))
    AND {words("component", "route", "model", "title", "error_type", "trace_id")}
ORDER BY event_at DESC, kind, trace_id, span_id LIMIT $limit
"""
_EXEMPLARS = f"""
SELECT kind, event_at, date_trunc('minute', event_at) AS minute_at, component, version, environment,
    name, verb, system, status, duration_ms, is_failed, error_type, input_tokens, output_tokens, {_HEX}
FROM recent_exemplars
WHERE {where({**TIMED, **RELEASED}, "environment", "version", time="event_at")}
    AND ($kind IS NULL OR kind = $kind) AND ($subject IS NULL OR name = $subject)
    AND ($verb IS NULL OR verb = $verb)
ORDER BY is_failed DESC, duration_ms DESC, event_at, span_id LIMIT $limit
"""
_TRACE = f"""
SELECT {_SPAN} AS span_id, {_PARENT} AS parent_span_id, component,
    component_instance AS instance, component_version AS version, environment, kind, name, start_at,
    duration_ns, status_code, status_message, {without_people_sql("attributes")} AS attributes,
    {events_without_people_sql("events")} AS events
FROM recent_trace_spans
QUALIFY row_number() OVER (PARTITION BY component, span_id, start_at, duration_ns, name, kind) = 1
ORDER BY start_at, duration_ns DESC, span_id
"""
_TRACE_LOGS = f"""
SELECT event_at, component, {severity_sql("severity_number")} AS severity,
    left(coalesce(body, event_name, ''), {LONGEST_BODY}) AS body, {_SPAN} AS span_id
FROM recent_trace_logs
QUALIFY row_number() OVER (PARTITION BY component, event_at, severity_number, body, span_id) = 1
ORDER BY event_at, component, body
"""
_LOGS = f"""
SELECT event_at, component, version, environment, severity, body,
    {key_sql("pattern")} AS pattern_key, pattern, {_HEX}
FROM recent_lines
WHERE {where(_LOGGED, *_LOG_FILTERS, time="event_at")} AND {_PATTERN} AND {words("body", "component")}
    AND ($after IS NULL OR event_at > make_timestamp($after))
ORDER BY event_at DESC, component, body LIMIT $limit
"""
_PATTERNS = f"""
SELECT component, severity, {key_sql("pattern")} AS pattern_key, pattern,
    sum(line_count)::BIGINT AS line_count, min(bucket_at) AS first_at, max(last_at) AS last_at
FROM hot_log_patterns
WHERE {where(_LOGGED, *_LOG_FILTERS)} AND {_PATTERN} AND {words("pattern", "component")}
GROUP BY ALL ORDER BY line_count DESC, component, severity, pattern LIMIT $limit
"""
_PATTERN_COUNTS = f"""
SELECT time_bucket(to_seconds($step_s), bucket_at) AS bucket_at, component, severity,
    {key_sql("pattern")} AS pattern_key, sum(line_count)::BIGINT AS line_count
FROM hot_log_patterns
WHERE {where(_LOGGED, *_LOG_FILTERS)} AND {_PATTERN} AND {words("pattern", "component")}
GROUP BY ALL ORDER BY ALL
"""
_SEARCH = f"""
WITH named AS (
    SELECT 'component' AS kind, component AS name, component AS key, '' AS about,
        max(last_at) AS last_at FROM hot_sightings GROUP BY ALL
    UNION ALL
    SELECT 'component', service, service, '', max(event_at) FROM hot_service_up GROUP BY ALL
    UNION ALL
    SELECT 'route', route, route, component, max(bucket_at) FROM hot_requests GROUP BY ALL
    UNION ALL
    SELECT 'model', model, model, provider, max(bucket_at) FROM hot_ai_calls GROUP BY ALL
    UNION ALL
    SELECT 'error', any_value(title), group_key, any_value(culprit), max(event_at) FROM hot_error_groups
    GROUP BY group_key
    UNION ALL
    SELECT DISTINCT 'trace', lower(hex(trace_id)), lower(hex(trace_id)), component || ' ' || name, event_at
    FROM recent_exemplars WHERE starts_with(lower(hex(trace_id)), lower($q)) AND length($q) >= 4
    UNION ALL
    SELECT DISTINCT 'trace', trace_id, trace_id, component || ' ' || title, event_at
    FROM hot_error_groups WHERE starts_with(trace_id, lower($q)) AND length($q) >= 4
)
SELECT * FROM (
    SELECT kind, name, key, about, max(last_at) AS last_at FROM named
    WHERE $q IS NOT NULL AND (kind = 'trace' OR {words("name", "about", "key")})
    GROUP BY kind, name, key, about
)
ORDER BY lower(name) = lower($q) DESC, starts_with(lower(name), lower($q)) DESC, last_at DESC, kind, name
LIMIT $limit
"""


def _kind(recent: Recent, values: Values) -> Mapping[str, pa.Table]:
    """Nothing to prepare: a kind that there is not would be an empty answer."""
    if values.get("kind") not in {None, *_KINDS}:
        raise BadQuery(f"kind must be one of {', '.join(_KINDS)}")
    return {}


def _spans(recent: Recent, values: Values) -> Mapping[str, pa.Table]:
    return {"recent_trace_spans": _of_trace(recent, values, "spans")}


def _records(recent: Recent, values: Values) -> Mapping[str, pa.Table]:
    return {"recent_trace_logs": _of_trace(recent, values, "logs")}


def _of_trace(recent: Recent, values: Values, signal: str) -> pa.Table:
    nothing, given = SIGNALS[signal].empty_table(), values.get("trace_id")
    return recent.of_trace(_id(str(given))).get(signal, nothing) if given else nothing


def _id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise BadQuery("trace_id must be 32 hexadecimal digits")
    return found


_TAIL_PARAMETERS = {
    "kind": Parameter(f"Only one kind: {', '.join(_KINDS)}.", None),
    "component": COMPONENT, **RELEASED, **ROUTE, **MODEL, "q": WORDS, "after": _AFTER, "limit": LIMIT,
}  # fmt: skip

QUERIES: dict[str, NamedQuery] = {
    "tail": NamedQuery(
        "The newest requests, AI calls and errors, newest first.", _TAIL, _TAIL_PARAMETERS, _kind
    ),
    "exemplars": NamedQuery(
        "The slowest and failed requests, AI calls and database operations of each minute, with trace.",
        _EXEMPLARS,
        {
            **TIMED,
            **RELEASED,
            "kind": Parameter("Only one kind: request, ai_call, db.", None),
            "subject": Parameter("Only this route, model or statement.", None),
            "verb": Parameter("Only this method or operation.", None),
            "limit": LIMIT,
        },
    ),
    "trace": NamedQuery(
        "Spans of a trace of the last minutes, without pseudonyms.", _TRACE, _TRACE_ID, _spans
    ),
    "trace_logs": NamedQuery("Log records of such a trace.", _TRACE_LOGS, _TRACE_ID, _records),
    "logs": NamedQuery(
        "The newest log lines.", _LOGS, {**_LOGGED, "after": _AFTER, "limit": LIMIT}
    ),
    "log_patterns": NamedQuery(
        "Patterns of log lines, most lines first.", _PATTERNS, {**_LOGGED, "limit": LIMIT}
    ),
    "log_counts": NamedQuery(
        "Log lines by time, component, severity and pattern.",
        _PATTERN_COUNTS,
        {**_LOGGED, "step_s": STEP},
    ),
    "search": NamedQuery(
        "Components, routes, models, error groups, and traces by the beginning of their id.",
        _SEARCH,
        {"q": Parameter("Words.", None), "limit": LIMIT},
    ),
}
