"""The named queries over the hot window: names, parameters, SQL.

Here: what can be asked. Not here: asking it (`queries`), the tables (`tables`). A quantile is read from log
buckets, is within 1 % of the exact value, and never above the longest (`ingestion/meaning/histograms`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingestion.meaning.histograms import NOTHING, milliseconds_sql, quantile_sql
from live_tail.window.overview_queries import COMPONENTS, SUMMARY
from live_tail.window.shared_figures import HOST_FIGURES, SINCE, WEBSOCKETS
from live_tail.window.window import BUCKET_S


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
        FROM {table} WHERE {SINCE} GROUP BY {lead}log_bucket
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
QUERIES: dict[str, NamedQuery] = {
    "summary": NamedQuery("One row: rates now and in the period before.", SUMMARY, _TIMED),
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
        f" FROM hot_requests WHERE {SINCE} AND log_bucket > {NOTHING} GROUP BY 1, 2 ORDER BY 1, 2",
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
        WEBSOCKETS,
        _TIMED,
    ),
    "components": NamedQuery("Every component with its state, worst first.", COMPONENTS, {}),
    "host": NamedQuery(
        "Load of hosts by time.",
        f"SELECT {_STEP_SQL} AS bucket_at, host, {HOST_FIGURES}"
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
        FROM hot_error_groups WHERE {SINCE} GROUP BY 1 ORDER BY error_count DESC, group_key""",
        _TIMED,
    ),
    "error_counts": NamedQuery(
        "Errors by time and group.",
        f"SELECT {_STEP_SQL} AS bucket_at, group_key, count(*) AS error_count FROM hot_error_groups"
        f" WHERE {SINCE} GROUP BY 1, 2 ORDER BY 1, 2",
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
        f" FROM hot_ledger WHERE {SINCE} GROUP BY 1, 2 ORDER BY 1, 2",
        _TIMED,
    ),
}
