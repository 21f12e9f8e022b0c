"""Queries about calls: of AI models, of databases, over WebSockets.

Here: SQL. Not here: single calls (`events`), requests (`requests`).
"""

from ingestion.meaning.histograms import quantile_interval_sql
from live_tail.window.queries.named_query import (
    MODEL,
    RELEASED,
    STEP_SQL,
    STEPPED,
    TIMED,
    NamedQuery,
    quantiles,
    where,
)
from live_tail.window.shared_figures import CONNECTIONS

_FILTERS = {**TIMED, **RELEASED, **MODEL}
_RELEASED = {**TIMED, **RELEASED}
_BY_STEP = {**STEPPED, **RELEASED, **MODEL}
_ONLY = where(_FILTERS, "environment", "version", "model")
_TOKENS = {"input_tokens": "sum input_tokens", "output_tokens": "sum output_tokens"}
_MEASURED = {
    **_TOKENS,
    "cached_tokens": "sum cached_tokens",
    "reasoning_tokens": "sum reasoning_tokens",
    "duration_ms_sum": "sum ms_sum",
    "first_chunk_ms_sum": "sum first_chunk_ms_sum",
    "first_chunk_count": "sum first_chunk_count",
    "answered_ms_sum": "sum answered_ms_sum",
}
_BY_MODEL = ("model AS model", "provider AS provider")
_LOW, _HIGH = quantile_interval_sql(0.95, bucket="log_bucket")


def _models(*groups: str) -> str:
    """Models with everything that is measured of them, and the interval of their p95."""
    counted = quantiles("hot_ai_calls", groups, _ONLY, count="call_count", extra=_MEASURED)
    interval = f"{_LOW} AS p95_low_ms, {_HIGH} AS p95_high_ms"
    told = counted.replace(" AS p99_ms", f" AS p99_ms, {interval}")
    return f"SELECT * FROM ({told}) ORDER BY call_count DESC, model, provider"


_DB_GROUPS = "system operation collection statement".split()
_CLOSES = f"""
SELECT component, route, close_code, count(*) AS connections FROM ({CONNECTIONS})
WHERE {where(TIMED)} GROUP BY 1, 2, 3 ORDER BY connections DESC, component, route, close_code
"""
# Messages of connections that ended are theirs; those of open ones are told by their own spans.
_SOCKETS = f"""
WITH connections AS ({CONNECTIONS}),
counted AS (
    SELECT component, route, count(*) AS closed_connections, median(duration_ns / 1e6) AS median_duration_ms,
        sum(messages_received) AS messages_received, sum(messages_sent) AS messages_sent,
        sum(bytes_received) AS bytes_received, sum(bytes_sent) AS bytes_sent,
        count(*) FILTER (WHERE close_code NOT IN (1000, 1001)) AS abnormal_closes
    FROM connections WHERE {where(TIMED)} GROUP BY 1, 2
    UNION ALL
    SELECT component, route, 0, NULL, sum(messages_received), sum(messages_sent), NULL, NULL, 0
    FROM hot_websocket_messages
    WHERE {where(TIMED)} AND connection NOT IN (SELECT connection FROM connections) GROUP BY 1, 2
)
SELECT component, route, sum(closed_connections)::BIGINT AS closed_connections,
    max(median_duration_ms) AS median_duration_ms,
    coalesce(sum(messages_received), 0)::BIGINT AS messages_received,
    coalesce(sum(messages_sent), 0)::BIGINT AS messages_sent,
    sum(bytes_received)::BIGINT AS bytes_received, sum(bytes_sent)::BIGINT AS bytes_sent,
    sum(abnormal_closes)::BIGINT AS abnormal_closes
FROM counted GROUP BY 1, 2 ORDER BY messages_sent DESC, component, route
"""

QUERIES: dict[str, NamedQuery] = {
    "ai_calls": NamedQuery(
        "AI calls by time, component and model.",
        quantiles(
            "hot_ai_calls",
            (f"{STEP_SQL} AS bucket_at", "component AS component", *_BY_MODEL),
            _ONLY,
            count="call_count",
            extra=_TOKENS,
        )
        + " ORDER BY ALL",
        _BY_STEP,
    ),
    "ai_models": NamedQuery(
        "AI models: calls, latency with the interval of its p95, tokens, time to the first chunk.",
        _models(*_BY_MODEL),
        _FILTERS,
    ),
    "ai_callers": NamedQuery(
        "The same by component, model, provider and operation.",
        _models("component AS component", *_BY_MODEL, "operation AS operation"),
        _FILTERS,
    ),
    "ai_errors": NamedQuery(
        "Failed AI calls by component, model and error type.",
        "SELECT component, model, provider, failed_with AS error_type,"
        " sum(call_count)::BIGINT AS call_count"
        f" FROM hot_ai_calls WHERE {_ONLY} AND failed_with IS NOT NULL"
        " GROUP BY ALL ORDER BY call_count DESC, component, model, provider, error_type",
        _FILTERS,
    ),
    "recoveries": NamedQuery(
        "Attempts under a retry and executions under a fallback, by component.",
        "SELECT component, sum(attempt_count)::BIGINT AS attempt_count,"
        " sum(retry_count)::BIGINT AS retry_count,"
        " sum(failed_attempt_count)::BIGINT AS failed_attempt_count,"
        " sum(fallback_count)::BIGINT AS fallback_count,"
        " sum(used_fallback_count)::BIGINT AS used_fallback_count"
        f" FROM hot_recoveries WHERE {where(_RELEASED, 'environment', 'version')}"
        " GROUP BY 1 ORDER BY retry_count DESC, component",
        _RELEASED,
    ),
    "databases": NamedQuery(
        "Database statements and operations, most time spent first.",
        quantiles(
            "hot_db_operations",
            tuple(f"{name} AS {name}" for name in ("component", *_DB_GROUPS)),
            where(TIMED),
            count="operation_count",
            extra={"duration_ms_sum": "sum ms_sum", "returned_rows": "sum returned_rows"},
        )
        + f" ORDER BY duration_ms_sum DESC, component, {', '.join(_DB_GROUPS)}",
        TIMED,
    ),
    "websockets": NamedQuery(
        "WebSocket connections that ended, their median duration, messages and bytes by route.",
        _SOCKETS,
        TIMED,
    ),
    "websocket_closes": NamedQuery(
        "WebSocket connections that ended, by close code.", _CLOSES, TIMED
    ),
    "websockets_open": NamedQuery(
        "WebSocket connections with a message, by minute and route.",
        "SELECT date_trunc('minute', bucket_at) AS bucket_at, component, route,"
        " count(DISTINCT connection) AS active_connections,"
        " (sum(messages_received) + sum(messages_sent))::BIGINT AS message_count"
        f" FROM hot_websocket_messages WHERE {where(TIMED)} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        TIMED,
    ),
}
