"""Named, parameterised queries over the hot window: the whole read API of the live tail.

Here: names, parameters and SQL. Not here: HTTP (`api`), tables (`window`). A quantile is read from
log buckets, is within 1 % of the exact value, and never above the longest (`ingestion/meaning/histograms`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ingestion.meaning.histograms import NOTHING, milliseconds_sql, quantile_sql
from live_tail.window.window import BUCKET_S, Window

MAX_ROWS = 20_000
_TABLE = re.compile(r"\bhot_\w+")


class BadQuery(ValueError):
    """A parameter is wrong; the message names it and what it takes."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: an integer within bounds, or a text."""

    description: str
    default: int | str | None = None
    low: int = 0
    high: int = 0


@dataclass(frozen=True)
class NamedQuery:
    """A query by name; `sql` takes $start, $now, $step_s, $component and its own parameters."""

    description: str
    sql: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


_MINUTES = Parameter("Minutes back from now.", 15, 1, 1_440)
_STEP = Parameter("Width of a time bucket, seconds.", 60, BUCKET_S, 3_600)
_COMPONENT = Parameter("Only this component.", None)
_TIMED = {"minutes": _MINUTES, "component": _COMPONENT}
_STEPPED = {**_TIMED, "step_s": _STEP}
_SINCE = (
    "bucket_at >= $start AND bucket_at <= $now AND ($component IS NULL OR component = $component)"
)
_STEP_SQL = "time_bucket(to_seconds($step_s), bucket_at)"
_P50, _P95, _P99 = (quantile_sql(q, bucket="log_bucket") for q in (0.5, 0.95, 0.99))


def _quantiles(table: str, groups: str, count: str, extra: str = "") -> str:
    """Counts and quantiles of a table by groups (`name: expression` pairs as SQL)."""
    names = ", ".join(g.rpartition(" AS ")[2] for g in groups.split("; ") if g)
    select = groups.replace("; ", ", ") + ", " if groups else ""
    by = f"PARTITION BY {names}" if names else ""
    lead, tail = (f"{names}, ", f"GROUP BY {names}") if names else ("", "")
    return f"""
    WITH buckets AS (
        SELECT {select}log_bucket, sum({count}) AS n, sum(error_count) AS errors,
            max(ms_max) AS longest_ms{extra and ", " + extra}
        FROM {table} WHERE {_SINCE} GROUP BY {lead}log_bucket
    ),
    running AS (
        SELECT *, sum(n) OVER ({by} ORDER BY log_bucket) AS so_far, sum(n) OVER ({by}) AS total
        FROM buckets
    )
    SELECT {lead}cast(coalesce(sum(n), 0) AS BIGINT) AS {count},
        cast(coalesce(sum(errors), 0) AS BIGINT) AS error_count,
        {_P50} AS p50_ms, {_P95} AS p95_ms, {_P99} AS p99_ms
        {", " + _outer(extra) if extra else ""}
    FROM running {tail}
    """


def _outer(extra: str) -> str:
    columns = [part.rpartition(" AS ")[2] for part in extra.split(", ")]
    return ", ".join(
        f"max({c}) AS {c}" if c.endswith("max") or c.endswith("max_ms") else f"sum({c}) AS {c}"
        for c in columns
    )


_TOKENS = "sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens"

_SUMMARY = f"""
WITH span AS (SELECT $now - $start AS width),
requests AS (
    SELECT bucket_at >= $start AS is_now, log_bucket, sum(request_count) AS n, sum(error_count) AS errors,
        max(ms_max) AS longest_ms
    FROM hot_requests WHERE bucket_at >= $start - (SELECT width FROM span) AND bucket_at <= $now
        AND ($component IS NULL OR component = $component)
    GROUP BY 1, 2
),
running AS (
    SELECT *, sum(n) OVER (PARTITION BY is_now ORDER BY log_bucket) AS so_far,
        sum(n) OVER (PARTITION BY is_now) AS total FROM requests
),
by_period AS (
    SELECT is_now, sum(n) / $seconds AS request_per_s, 100.0 * sum(errors) / nullif(sum(n), 0) AS error_pct,
        {_P95} AS p95_ms
    FROM running GROUP BY is_now
),
ai AS (
    SELECT bucket_at >= $start AS is_now, sum(call_count) * 60.0 / $seconds AS ai_calls_per_min,
        sum(output_tokens) / $seconds AS output_tokens_per_s
    FROM hot_ai_calls WHERE bucket_at >= $start - (SELECT width FROM span) AND bucket_at <= $now
        AND ($component IS NULL OR component = $component)
    GROUP BY 1
),
sides AS (
    SELECT * FROM (SELECT unnest([true, false]) AS is_now)
    LEFT JOIN by_period USING (is_now) LEFT JOIN ai USING (is_now)
)
SELECT
    max(request_per_s) FILTER (WHERE is_now) AS request_per_s,
    max(error_pct) FILTER (WHERE is_now) AS error_pct,
    max(p95_ms) FILTER (WHERE is_now) AS p95_ms,
    max(ai_calls_per_min) FILTER (WHERE is_now) AS ai_calls_per_min,
    max(output_tokens_per_s) FILTER (WHERE is_now) AS output_tokens_per_s,
    max(request_per_s) FILTER (WHERE NOT is_now) AS previous_request_per_s,
    max(error_pct) FILTER (WHERE NOT is_now) AS previous_error_pct,
    max(p95_ms) FILTER (WHERE NOT is_now) AS previous_p95_ms,
    max(ai_calls_per_min) FILTER (WHERE NOT is_now) AS previous_ai_calls_per_min,
    max(output_tokens_per_s) FILTER (WHERE NOT is_now) AS previous_output_tokens_per_s
FROM sides
"""
# Down: a probe says so, or a component that was heard all the time before is silent for 3 min. What arrived
# as history (`history`) tells what was: who is heard of there alone is neither up nor down.
_COMPONENTS = f"""
WITH seen_by AS (
    SELECT component, max_by(version, last_at) AS version, max_by(environment, last_at) AS environment,
        count(DISTINCT instance) AS instance_count, min(first_at) AS first_seen_at,
        max(last_at) AS last_seen_at, max(last_at) FILTER (NOT is_history) AS last_heard_at,
        count(DISTINCT date_trunc('minute', bucket_at)) FILTER (NOT is_history) AS minutes_heard,
        date_diff('minute', min(bucket_at) FILTER (NOT is_history),
            max(bucket_at) FILTER (NOT is_history)) + 1 AS minutes_known
    FROM hot_sightings GROUP BY component
),
recent AS (
    SELECT component, log_bucket, sum(request_count) AS n, sum(error_count) AS errors,
        max(ms_max) AS longest_ms
    FROM hot_requests WHERE bucket_at >= $now - INTERVAL 5 MINUTES GROUP BY 1, 2
),
running AS (
    SELECT *, sum(n) OVER (PARTITION BY component ORDER BY log_bucket) AS so_far,
        sum(n) OVER (PARTITION BY component) AS total FROM recent
),
rates AS (
    SELECT component, sum(n) AS requests, sum(n) / 300.0 AS request_per_s,
        100.0 * sum(errors) / sum(n) AS error_pct, {_P95} AS p95_ms
    FROM running GROUP BY component
),
minutes AS (
    SELECT component, list(n ORDER BY minute_at) AS requests_by_minute FROM (
        SELECT s.component, m.minute_at, coalesce(sum(r.request_count), 0)::BIGINT AS n
        FROM (SELECT DISTINCT component FROM hot_requests) AS s
        CROSS JOIN (
            SELECT unnest(generate_series(date_trunc('minute', $now) - INTERVAL 59 MINUTES,
                date_trunc('minute', $now), INTERVAL 1 MINUTE)) AS minute_at
        ) AS m
        LEFT JOIN hot_requests AS r
            ON r.component = s.component AND date_trunc('minute', r.bucket_at) = m.minute_at
        GROUP BY 1, 2
    ) GROUP BY component
),
probes AS (
    SELECT service AS component,
        CASE WHEN max(event_at) > $now - INTERVAL 3 MINUTES THEN max_by(value, event_at) END AS up
    FROM hot_service_up GROUP BY 1
),
joined AS (
    SELECT coalesce(s.component, p.component) AS component, s.version, s.environment,
        s.instance_count, s.first_seen_at, s.last_seen_at, r.request_per_s, r.error_pct, r.p95_ms,
        m.requests_by_minute, p.up, r.requests,
        s.minutes_heard >= 5 AND s.minutes_heard >= 0.8 * s.minutes_known AS is_steady,
        date_diff('second', s.last_heard_at, $now) AS silent_s
    FROM seen_by AS s FULL JOIN probes AS p ON p.component = s.component
    LEFT JOIN rates AS r ON r.component = s.component
    LEFT JOIN minutes AS m ON m.component = s.component
)
SELECT component, version, environment, instance_count, first_seen_at, last_seen_at,
    CASE WHEN up = 0 THEN 'down'
        WHEN silent_s > 180 AND is_steady THEN 'down'
        WHEN error_pct >= 5 AND requests >= 10 THEN 'degraded'
        WHEN silent_s <= 180 OR up = 1 THEN 'ok'
        ELSE 'unknown' END AS state,
    CASE WHEN up = 0 THEN 'probe says down'
        WHEN silent_s > 180 THEN 'no data for ' || (silent_s // 60) || ' min'
        WHEN error_pct >= 5 AND requests >= 10 THEN round(error_pct, 1) || ' % errors'
        WHEN silent_s IS NULL AND last_seen_at IS NOT NULL THEN 'history only'
        WHEN silent_s IS NULL THEN 'seen by probe only'
        ELSE '' END AS state_reason,
    request_per_s, error_pct, p95_ms, requests_by_minute
FROM joined
ORDER BY CASE state WHEN 'down' THEN 0 WHEN 'degraded' THEN 1 WHEN 'unknown' THEN 2 ELSE 3 END, component
"""

QUERIES: dict[str, NamedQuery] = {
    "summary": NamedQuery("One row: rates now and in the period before.", _SUMMARY, _TIMED),
    "requests": NamedQuery(
        "Requests by time and component.",
        _quantiles(
            "hot_requests", f"{_STEP_SQL} AS bucket_at; component AS component", "request_count"
        )
        + " ORDER BY ALL",
        _STEPPED,
    ),
    "latency": NamedQuery(
        "Latency by time, all chosen components together.",
        _quantiles("hot_requests", f"{_STEP_SQL} AS bucket_at", "request_count") + " ORDER BY ALL",
        _STEPPED,
    ),
    "latency_buckets": NamedQuery(
        "Requests by time and log bucket: the heat map.",
        f"SELECT {_STEP_SQL} AS bucket_at, log_bucket, sum(request_count)::BIGINT AS request_count,"
        f" {milliseconds_sql('log_bucket')} AS latency_ms"
        f" FROM hot_requests WHERE {_SINCE} AND log_bucket > {NOTHING} GROUP BY 1, 2 ORDER BY 1, 2",
        _STEPPED,
    ),
    "routes": NamedQuery(
        "Routes, slowest first.",
        _quantiles(
            "hot_requests",
            "component AS component; route AS route; method AS method",
            "request_count",
            "max(ms_max) AS ms_max",
        )
        + " ORDER BY p95_ms DESC",
        _TIMED,
    ),
    "ai_calls": NamedQuery(
        "AI calls by time, component and model.",
        _quantiles(
            "hot_ai_calls",
            f"{_STEP_SQL} AS bucket_at; component AS component; model AS model; provider AS provider",
            "call_count",
            _TOKENS,
        )
        + " ORDER BY ALL",
        _STEPPED,
    ),
    "databases": NamedQuery(
        "Database operations.",
        _quantiles(
            "hot_db_operations",
            "component AS component; system AS system; operation AS operation",
            "operation_count",
        )
        + " ORDER BY operation_count DESC",
        _TIMED,
    ),
    "websockets": NamedQuery(
        "WebSocket connections and messages by route.",
        "SELECT component, route, sum(closed_connections)::BIGINT AS closed_connections,"
        " sum(messages_received)::BIGINT AS messages_received,"
        f" sum(messages_sent)::BIGINT AS messages_sent FROM hot_websockets WHERE {_SINCE}"
        " GROUP BY 1, 2 ORDER BY messages_sent DESC",
        _TIMED,
    ),
    "components": NamedQuery("Every component with its state, worst first.", _COMPONENTS, {}),
    "host": NamedQuery(
        "Load of hosts by time.",
        f"SELECT {_STEP_SQL} AS bucket_at, host, avg(cpu_utilization_pct) AS cpu_utilization_pct,"
        " avg(memory_utilization_pct) AS memory_utilization_pct, avg(load_1m) AS load_1m"
        " FROM hot_host WHERE bucket_at >= $start GROUP BY 1, 2 ORDER BY 1, 2",
        {"minutes": _MINUTES, "step_s": _STEP},
    ),
    "recent_errors": NamedQuery(
        "The latest failed spans.",
        "SELECT event_at, component, name, status_message, exception_type FROM hot_errors"
        " ORDER BY event_at DESC LIMIT $limit",
        {"limit": Parameter("Rows.", 50, 1, 1_000)},
    ),
    "error_groups": NamedQuery(
        "Error groups, most errors first; sessions are null below ten.",
        f"""SELECT group_key, max_by(title, event_at) AS title, max_by(culprit, event_at) AS culprit,
            max_by(exception_type, event_at) AS exception_type, list(DISTINCT component) AS components,
            count(*) AS error_count, min(event_at) AS first_seen_at, max(event_at) AS last_seen_at,
            CASE WHEN count(DISTINCT session) >= 10 THEN count(DISTINCT session) END AS session_count,
            bool_or(is_content_delivery) AS is_content_delivery, max_by(trace_id, event_at) AS trace_id
        FROM hot_error_groups WHERE {_SINCE} GROUP BY 1 ORDER BY error_count DESC, group_key""",
        _TIMED,
    ),
    "error_counts": NamedQuery(
        "Errors by time and group.",
        f"SELECT {_STEP_SQL} AS bucket_at, group_key, count(*) AS error_count FROM hot_error_groups"
        f" WHERE {_SINCE} GROUP BY 1, 2 ORDER BY 1, 2",
        _STEPPED,
    ),
    "error_group": NamedQuery(
        "The latest errors of one group, with stack, route, release and trace.",
        "SELECT event_at, component, version, environment, route, exception_type, message, culprit,"
        " rule, explanation, stack, breadcrumbs, trace_id, is_content_delivery FROM hot_error_groups"
        " WHERE group_key = $key ORDER BY event_at DESC LIMIT $limit",
        {"key": Parameter("Group key."), "limit": Parameter("Rows.", 20, 1, 200)},
    ),
    "platform": NamedQuery(
        "Items at the door by component and signal.",
        "SELECT component, signal,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'arrived'), 0)::BIGINT AS arrived_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'accepted'), 0)::BIGINT AS accepted_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'rejected'), 0)::BIGINT AS rejected_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'dropped'), 0)::BIGINT AS dropped_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'duplicate'), 0)::BIGINT AS duplicate_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'noted'), 0)::BIGINT AS noted_items"
        f" FROM hot_ledger WHERE {_SINCE} GROUP BY 1, 2 ORDER BY 1, 2",
        _TIMED,
    ),
}


def run_query(window: Window, name: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of a named query; raises KeyError for an unknown name and BadQuery for parameters."""
    query = QUERIES[name]
    values = _values(query, given)
    now = window.now()
    minutes = values.get("minutes") or window.minutes
    bound = {
        **values,
        "now": now,
        "start": now - timedelta(minutes=int(minutes)),
        "seconds": int(minutes) * 60.0,
        "component": values.get("component"),
    }
    used = {key: value for key, value in bound.items() if f"${key}" in query.sql}
    cursor = window.cursor(*tables_in(query.sql))
    try:
        result = cursor.execute(query.sql, used)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchmany(MAX_ROWS)]
    finally:
        cursor.close()


def tables_in(sql: str) -> tuple[str, ...]:
    """The hot tables that a statement names."""
    return tuple(sorted(set(_TABLE.findall(sql))))


def _values(query: NamedQuery, given: Mapping[str, str]) -> dict[str, int | str | None]:
    unknown = sorted(set(given) - set(query.parameters))
    if unknown:
        raise BadQuery(
            f"unknown parameter {', '.join(unknown)}: this query takes "
            f"{', '.join(query.parameters) or 'none'}"
        )
    return {name: _value(name, spec, given.get(name)) for name, spec in query.parameters.items()}


def _value(name: str, spec: Parameter, text: str | None) -> int | str | None:
    if text is None or text == "":
        return spec.default
    if not spec.high:
        return text
    try:
        number = int(text)
    except ValueError:
        raise BadQuery(f"{name} must be a whole number from {spec.low} to {spec.high}") from None
    if not spec.low <= number <= spec.high:
        raise BadQuery(f"{name} must be from {spec.low} to {spec.high}")
    return number
