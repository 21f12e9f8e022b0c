"""What pages that count a range in minutes back from now read.

Here: one function per question. Not here: where answers come from (`source`), questions over any range.
"""

from datetime import UTC, datetime, timedelta

import pandas as pd

from ingestion.meaning.histograms import NOTHING, milliseconds_sql, quantile_sql
from streamlit_app.readings.source import Reading, live, marts, settings

RANGES = {"15 min": 15, "1 h": 60, "6 h": 360, "24 h": 1_440, "7 d": 10_080}
_P50, _P95, _P99 = (quantile_sql(q, bucket="bucket") for q in (0.5, 0.95, 0.99))
_STEPS_S = {15: 15, 60: 60, 360: 300, 1_440: 900, 10_080: 3_600}


def step_s(minutes: int) -> int:
    """Width of a time bucket for a range."""
    return _STEPS_S.get(minutes, 300)


def is_live(minutes: int) -> bool:
    """Whether the live window covers the range."""
    return minutes <= settings().live.window_minutes


def since(minutes: int) -> datetime:
    """Start of a range that ends now, UTC without zone as the marts have it."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).replace(tzinfo=None, microsecond=0)


_WHERE = "minute_at >= $since AND ($component IS NULL OR component = $component)"
_BUCKETS = f"""
WITH entries AS (
    SELECT {{groups}}, unnest(map_entries(latency_histogram)) AS entry
    FROM {{table}} WHERE {_WHERE}
),
buckets AS (SELECT {{names}}, entry.key AS bucket, sum(entry.value) AS n FROM entries GROUP BY ALL),
running AS (
    SELECT *, sum(n) OVER (PARTITION BY {{names}} ORDER BY bucket) AS so_far,
        sum(n) OVER (PARTITION BY {{names}}) AS total FROM buckets
),
quantiles AS (
    SELECT {{names}},
        {_P50} AS p50_ms, {_P95} AS p95_ms, {_P99} AS p99_ms
    FROM running GROUP BY {{names}}
)
"""


def _quantiles(table: str, groups: str, names: str) -> str:
    return _BUCKETS.format(table=table, groups=groups, names=names)


def summary(minutes: int) -> dict[str, float | None]:
    """Rates in a range, and with the prefix `previous_` in the range of equal length before it.

    request_per_s, error_pct, p95_ms, ai_calls_per_min, output_tokens_per_s; None where nothing was
    measured. What the live window does not reach comes from the marts.
    """
    row: dict[str, float | None] = {}
    if is_live(minutes):
        reading = live("summary", minutes=minutes)
        row = reading.frame.iloc[0].to_dict() if len(reading.frame) else {}
    else:
        row = _rates(minutes, 0)
    if 2 * minutes > settings().live.window_minutes:
        before = _rates(2 * minutes, minutes)
        row |= {f"previous_{name}": value for name, value in before.items()}
    return row


def _rates(from_minutes: int, to_minutes: int) -> dict[str, float | None]:
    """Rates between two ages, from the marts."""
    seconds = (from_minutes - to_minutes) * 60
    span = "minute_at >= $since AND minute_at < $until"
    sql = f"""
        WITH buckets AS (
            SELECT unnest(map_entries(latency_histogram)) AS entry
            FROM fct_requests_minutely WHERE {span}
        ),
        running AS (
            SELECT entry.key AS bucket, sum(sum(entry.value)) OVER (ORDER BY entry.key) AS so_far,
                sum(sum(entry.value)) OVER () AS total FROM buckets GROUP BY 1
        ),
        requests AS (
            SELECT sum(request_count) / {seconds} AS request_per_s,
                100.0 * sum(error_count) / nullif(sum(request_count), 0) AS error_pct
            FROM fct_requests_minutely WHERE {span}
        ),
        calls AS (
            SELECT sum(call_count) * 60.0 / {seconds} AS ai_calls_per_min,
                sum(output_tokens) / {seconds} AS output_tokens_per_s
            FROM fct_ai_calls_minutely WHERE {span}
        ),
        latency AS (SELECT {_P95} AS p95_ms FROM running)
        SELECT * FROM requests, calls, latency"""
    reading = marts(sql, since=since(from_minutes), until=since(to_minutes))
    return reading.frame.iloc[0].to_dict() if len(reading.frame) else {}


def latency(minutes: int, component: str | None) -> Reading:
    """bucket_at, request_count, error_count, p50_ms, p95_ms, p99_ms."""
    step = step_s(minutes)
    if is_live(minutes):
        return live("latency", minutes=minutes, step_s=step, component=component)
    bucket = f"time_bucket(INTERVAL {step} SECONDS, minute_at)"
    sql = (
        _quantiles("fct_requests_minutely", f"{bucket} AS bucket_at", "bucket_at")
        + f"""
        SELECT * FROM quantiles JOIN (
            SELECT {bucket} AS bucket_at, sum(request_count) AS request_count,
                sum(error_count) AS error_count
            FROM fct_requests_minutely WHERE {_WHERE} GROUP BY 1
        ) USING (bucket_at) ORDER BY bucket_at"""
    )
    return marts(sql, since=since(minutes), component=component)


def requests(minutes: int, component: str | None) -> Reading:
    """bucket_at, component, request_count, error_count."""
    step = step_s(minutes)
    if is_live(minutes):
        return live("requests", minutes=minutes, step_s=step, component=component)
    sql = f"""
        SELECT time_bucket(INTERVAL {step} SECONDS, minute_at) AS bucket_at, component,
            sum(request_count)::BIGINT AS request_count, sum(error_count)::BIGINT AS error_count
        FROM fct_requests_minutely WHERE {_WHERE} GROUP BY 1, 2 ORDER BY 1, 2"""
    return marts(sql, since=since(minutes), component=component)


def ai_calls(minutes: int) -> Reading:
    """bucket_at, call_count, output_tokens of all components together."""
    step = step_s(minutes)
    if is_live(minutes):
        reading = live("ai_calls", minutes=minutes, step_s=step)
        if reading.frame.empty:
            return reading
        columns = ["call_count", "output_tokens"]
        summed = reading.frame.groupby("bucket_at", as_index=False)[columns].sum()
        return Reading(pd.DataFrame(summed))
    sql = f"""
        SELECT time_bucket(INTERVAL {step} SECONDS, minute_at) AS bucket_at,
            sum(call_count)::BIGINT AS call_count, sum(output_tokens)::BIGINT AS output_tokens
        FROM fct_ai_calls_minutely WHERE minute_at >= $since GROUP BY 1 ORDER BY 1"""
    return marts(sql, since=since(minutes))


def heat(minutes: int, component: str | None) -> Reading:
    """bucket_at, latency_ms, request_count: the latency distribution over time."""
    step = step_s(minutes)
    if is_live(minutes):
        return live("latency_buckets", minutes=minutes, step_s=step, component=component)
    sql = f"""
        SELECT bucket_at, {milliseconds_sql("entry.key")} AS latency_ms,
            sum(entry.value)::BIGINT AS request_count
        FROM (
            SELECT time_bucket(INTERVAL {step} SECONDS, minute_at) AS bucket_at,
                unnest(map_entries(latency_histogram)) AS entry
            FROM fct_requests_minutely WHERE {_WHERE}
        ) WHERE entry.key > {NOTHING} GROUP BY ALL ORDER BY 1, 2"""
    return marts(sql, since=since(minutes), component=component)


def routes(minutes: int, component: str | None) -> Reading:
    """component, route, method, request_count, error_count, p50_ms, p95_ms, p99_ms, ms_max."""
    if is_live(minutes):
        return live("routes", minutes=minutes, component=component)
    names = "component, route, method"
    sql = (
        _quantiles("fct_requests_minutely", names, names)
        + f"""
        SELECT * FROM quantiles JOIN (
            SELECT {names}, sum(request_count)::BIGINT AS request_count,
                sum(error_count)::BIGINT AS error_count, max(duration_ms_max) AS ms_max
            FROM fct_requests_minutely WHERE {_WHERE} GROUP BY ALL
        ) USING ({names}) ORDER BY p95_ms DESC"""
    )
    return marts(sql, since=since(minutes), component=component)


def ai_models(minutes: int, component: str | None) -> Reading:
    """model, provider, call_count, error_count, p95_ms, tokens and tokens/s, from the marts."""
    names = "model, provider"
    sql = (
        _quantiles("fct_ai_calls_minutely", names, names)
        + f"""
        SELECT {names}, call_count, error_count, p50_ms, p95_ms, first_chunk_ms, input_tokens,
            output_tokens, cached_tokens, output_tokens_per_s
        FROM quantiles JOIN (
            SELECT {names}, sum(call_count)::BIGINT AS call_count,
                sum(error_count)::BIGINT AS error_count,
                sum(first_chunk_ms_sum) / nullif(sum(first_chunk_count), 0) AS first_chunk_ms,
                sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens,
                sum(cached_tokens)::BIGINT AS cached_tokens,
                sum(output_tokens) / nullif(sum(duration_ms_sum) / 1000, 0) AS output_tokens_per_s
            FROM fct_ai_calls_minutely WHERE {_WHERE} GROUP BY ALL
        ) USING ({names}) ORDER BY call_count DESC"""
    )
    return marts(sql, since=since(minutes), component=component)


def databases(minutes: int, component: str | None) -> Reading:
    """system, operation, collection, counts and quantiles, from the marts."""
    names = "system, operation, collection"
    sql = (
        _quantiles("fct_db_operations_minutely", names, names)
        + f"""
        SELECT * EXCLUDE (p50_ms, p99_ms) FROM (
            SELECT {names}, sum(operation_count)::BIGINT AS operation_count,
                sum(error_count)::BIGINT AS error_count, sum(returned_rows)::BIGINT AS returned_rows
            FROM fct_db_operations_minutely WHERE {_WHERE} GROUP BY ALL
        ) JOIN quantiles USING ({names}) ORDER BY operation_count DESC"""
    )
    return marts(sql, since=since(minutes), component=component)


def websockets(minutes: int, component: str | None) -> Reading:
    """component, route, connections, duration and messages, from the marts."""
    sql = """
        SELECT component, route, count(*) AS connections, median(duration_ms) AS median_duration_ms,
            sum(messages_received)::BIGINT AS messages_received, sum(messages_sent)::BIGINT AS messages_sent,
            sum(bytes_received)::BIGINT AS bytes_received, sum(bytes_sent)::BIGINT AS bytes_sent,
            count(*) FILTER (WHERE close_code NOT IN (1000, 1001)) AS abnormal_closes
        FROM fct_websocket_connections
        WHERE opened_at >= $since AND ($component IS NULL OR component = $component)
        GROUP BY ALL ORDER BY connections DESC"""
    return marts(sql, since=since(minutes), component=component)


def processes(minutes: int, component: str | None) -> Reading:
    """component, cpu_seconds, cpu utilisation, memory, CPU per request, from the marts."""
    sql = f"""
        SELECT component, sum(cpu_seconds) AS cpu_seconds, avg(cpu_utilization_pct) AS cpu_utilization_pct,
            max(memory_bytes) / 1e6 AS memory_mb,
            sum(cpu_seconds) * 1000 / nullif(sum(request_count), 0) AS cpu_ms_per_request
        FROM fct_process_usage_minutely WHERE {_WHERE} GROUP BY ALL ORDER BY cpu_seconds DESC NULLS LAST"""
    return marts(sql, since=since(minutes), component=component)
