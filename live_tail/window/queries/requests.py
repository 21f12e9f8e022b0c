"""Queries about requests: rates, latency, routes.

Here: SQL. Not here: single requests (`events`), AI calls and databases (`calls`).
"""

from ingestion.meaning.histograms import NOTHING, milliseconds_sql
from live_tail.window.queries.named_query import (
    P95,
    RELEASED,
    ROUTE,
    STEP_SQL,
    STEPPED,
    TIMED,
    NamedQuery,
    only,
    quantiles,
    where,
)

_FILTERS = {**TIMED, **RELEASED, **ROUTE}
_BY_STEP = {**STEPPED, **RELEASED, **ROUTE}
_ONLY = where(_FILTERS, "environment", "version", "route")
_BEFORE = _ONLY.replace("bucket_at >= $start", "bucket_at >= $start - ($end - $start)")
_RELEASE = " AND ".join(f"({only(name)})" for name in ("component", "environment", "version"))

_SUMMARY = f"""
WITH requests AS (
    SELECT bucket_at >= $start AS is_now, log_bucket, sum(request_count) AS n, sum(error_count) AS errors,
        max(ms_max) AS longest_ms
    FROM hot_requests WHERE {_BEFORE} GROUP BY 1, 2
),
running AS (
    SELECT *, sum(n) OVER (PARTITION BY is_now ORDER BY log_bucket) AS so_far,
        sum(n) OVER (PARTITION BY is_now) AS total FROM requests
),
by_period AS (
    SELECT is_now, sum(n) / $seconds AS request_per_s, 100.0 * sum(errors) / nullif(sum(n), 0) AS error_pct,
        {P95} AS p95_ms
    FROM running GROUP BY is_now
),
ai AS (
    SELECT bucket_at >= $start AS is_now, sum(call_count) * 60.0 / $seconds AS ai_calls_per_min,
        sum(output_tokens) / $seconds AS output_tokens_per_s
    FROM hot_ai_calls WHERE bucket_at >= $start - ($end - $start) AND bucket_at < $end AND {_RELEASE}
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
_BY_ROUTE = ("component AS component", "route AS route", "method AS method")

QUERIES: dict[str, NamedQuery] = {
    "summary": NamedQuery("One row: rates now and in the period before.", _SUMMARY, _FILTERS),
    "requests": NamedQuery(
        "Requests by time and component.",
        quantiles(
            "hot_requests",
            (f"{STEP_SQL} AS bucket_at", "component AS component"),
            _ONLY,
            count="request_count",
        )
        + " ORDER BY ALL",
        _BY_STEP,
    ),
    "latency": NamedQuery(
        "Latency by time, all chosen components together.",
        quantiles("hot_requests", (f"{STEP_SQL} AS bucket_at",), _ONLY, count="request_count")
        + " ORDER BY ALL",
        _BY_STEP,
    ),
    "latency_buckets": NamedQuery(
        "Requests by time and log bucket: the heat map.",
        f"SELECT {STEP_SQL} AS bucket_at, log_bucket, sum(request_count)::BIGINT AS request_count,"
        f" {milliseconds_sql('log_bucket')} AS latency_ms"
        f" FROM hot_requests WHERE {_ONLY} AND log_bucket > {NOTHING} GROUP BY 1, 2 ORDER BY 1, 2",
        _BY_STEP,
    ),
    "routes": NamedQuery(
        "Routes, slowest first.",
        quantiles(
            "hot_requests", _BY_ROUTE, _ONLY, count="request_count", extra={"ms_max": "max ms_max"}
        )
        + " ORDER BY p95_ms DESC, component, route, method",
        _FILTERS,
    ),
    "statuses": NamedQuery(
        "Requests by time and class of status.",
        f"SELECT {STEP_SQL} AS bucket_at, status_class, sum(request_count)::BIGINT AS request_count,"
        f" sum(error_count)::BIGINT AS error_count FROM hot_requests WHERE {_ONLY}"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        _BY_STEP,
    ),
}
