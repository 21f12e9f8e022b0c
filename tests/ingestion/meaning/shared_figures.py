"""The figures that the live window and the marts both have: a query of each, whose rows must be equal.

Not compared, because only one speed has them: processes and connection pools (marts), evidence and
availability (window); what a rule makes of a counter is an estimate for a moment (`live_tail/alerts/rules`).
"""

from live_tail.window.shared_figures import CONNECTIONS, HOST_FIGURES

_HISTOGRAM = "unnest(map_entries(latency_histogram)) AS entry"
_MINUTE = "date_trunc('minute', bucket_at)"
_HOST = "cpu_utilization_pct, memory_utilization_pct, load_1m"
_SOME_HOST = (
    "cpu_utilization_pct IS NOT NULL OR memory_utilization_pct IS NOT NULL OR load_1m IS NOT NULL"
)
_OUTCOMES = "'arrived', 'accepted', 'rejected', 'dropped', 'noted'"

_REQUESTS = {
    "requests by bucket": (
        f"SELECT component, version, environment, route, method, status_class, {_MINUTE}, log_bucket,"
        " sum(request_count)::BIGINT FROM hot_requests GROUP BY ALL",
        "SELECT component, version, environment, route, method, status_class, minute_at, entry.key, entry.value::BIGINT FROM"
        f" (SELECT *, {_HISTOGRAM} FROM fct_requests_minutely)",
    ),
    "failed requests": (
        f"SELECT component, version, environment, route, method, status_class, {_MINUTE},"
        " sum(error_count)::BIGINT, max(ms_max) FROM hot_requests GROUP BY ALL",
        "SELECT component, version, environment, route, method, status_class, minute_at, error_count, duration_ms_max"
        " FROM fct_requests_minutely",
    ),
}
_CALLS = {
    "AI calls by bucket": (
        f"SELECT component, version, environment, model, provider, operation, {_MINUTE}, log_bucket,"
        " sum(call_count)::BIGINT FROM hot_ai_calls GROUP BY ALL",
        "SELECT component, version, environment, model, provider, operation, minute_at, entry.key, sum(entry.value)::BIGINT FROM"
        f" (SELECT *, {_HISTOGRAM} FROM fct_ai_calls_minutely) GROUP BY ALL",
    ),
    "AI calls": (
        f"SELECT component, version, environment, model, provider, operation, {_MINUTE}, sum(call_count)::BIGINT,"
        " sum(error_count)::BIGINT, coalesce(sum(input_tokens), 0)::BIGINT,"
        " coalesce(sum(output_tokens), 0)::BIGINT, sum(cached_tokens)::BIGINT, sum(reasoning_tokens)::BIGINT,"
        " sum(first_chunk_count)::BIGINT, sum(first_chunk_ms_sum) FROM hot_ai_calls GROUP BY ALL",
        "SELECT component, version, environment, model, provider, operation, minute_at, sum(call_count)::BIGINT, sum(error_count)::BIGINT,"
        " coalesce(sum(input_tokens), 0)::BIGINT, coalesce(sum(output_tokens), 0)::BIGINT,"
        " sum(cached_tokens)::BIGINT, sum(reasoning_tokens)::BIGINT, sum(first_chunk_count)::BIGINT,"
        " sum(first_chunk_ms_sum) FROM fct_ai_calls_minutely GROUP BY ALL",
    ),
    "AI errors by type": (
        f"SELECT component, model, {_MINUTE}, failed_with, sum(call_count)::BIGINT"
        " FROM hot_ai_calls WHERE failed_with IS NOT NULL GROUP BY ALL",
        "SELECT component, model, minute_at, entry.key, sum(entry.value)::BIGINT FROM (SELECT *,"
        " unnest(map_entries(errors_by_type)) AS entry FROM fct_ai_calls_minutely) GROUP BY ALL",
    ),
    "attempts and fallbacks": (
        f"SELECT component, version, environment, {_MINUTE}, sum(attempt_count)::BIGINT,"
        " sum(retry_count)::BIGINT, sum(failed_attempt_count)::BIGINT, sum(fallback_count)::BIGINT,"
        " sum(used_fallback_count)::BIGINT FROM hot_recoveries GROUP BY ALL",
        "SELECT component, version, environment, minute_at, attempt_count, retry_count,"
        " failed_attempt_count, fallback_count, used_fallback_count FROM fct_recoveries_minutely",
    ),
    "database operations by bucket": (
        f"SELECT component, system, operation, collection, statement, {_MINUTE}, log_bucket,"
        " sum(operation_count)::BIGINT FROM hot_db_operations GROUP BY ALL",
        "SELECT component, system, operation, collection, statement, minute_at, entry.key, sum(entry.value)::BIGINT FROM"
        f" (SELECT *, {_HISTOGRAM} FROM fct_db_operations_minutely) GROUP BY ALL",
    ),
    "failed database operations": (
        f"SELECT component, system, operation, collection, statement, {_MINUTE}, sum(error_count)::BIGINT,"
        " sum(returned_rows)::BIGINT FROM hot_db_operations GROUP BY ALL",
        "SELECT component, system, operation, collection, statement, minute_at, sum(error_count)::BIGINT,"
        " sum(returned_rows)::BIGINT FROM fct_db_operations_minutely GROUP BY ALL",
    ),
}
_SOCKETS = {
    "WebSocket messages": (
        f"SELECT component, route, {_MINUTE}, count(DISTINCT connection), sum(messages_received)::BIGINT,"
        " sum(messages_sent)::BIGINT FROM hot_websocket_messages GROUP BY ALL",
        "SELECT component, route, minute_at, active_connections, messages_received, messages_sent"
        " FROM fct_websocket_messages_minutely",
    ),
    "WebSocket connections": (
        "SELECT component, route, opened_at, duration_ns / 1e6, messages_received, messages_sent,"
        f" bytes_received, bytes_sent, close_code FROM ({CONNECTIONS})",
        "SELECT component, route, opened_at, duration_ms, messages_received, messages_sent,"
        " bytes_received, bytes_sent, close_code FROM fct_websocket_connections",
    ),
}
_RECORDS = {
    "log records by pattern": (
        "SELECT component, version, environment, severity, pattern, bucket_at, sum(line_count)::BIGINT,"
        " max(last_at) FROM hot_log_patterns GROUP BY ALL",
        "SELECT component, version, environment, severity, pattern, minute_at, line_count, last_at"
        " FROM fct_log_patterns_minutely",
    ),
}
_FAILURES = {
    "errors": (
        "SELECT group_key, component, coalesce(version, ''), coalesce(environment, ''), coalesce(route, ''),"
        " coalesce(therapeutic_area, ''), count(*), min(event_at), max(event_at)"
        " FROM hot_error_groups GROUP BY ALL",
        "SELECT group_key, component, version, environment, route, therapeutic_area,"
        " sum(error_count)::BIGINT, min(first_seen_at), max(last_seen_at) FROM fct_errors_hourly GROUP BY ALL",
    ),
    "error groups": (
        "SELECT group_key, count(*), count(DISTINCT component), min(event_at), max(event_at)"
        " FROM hot_error_groups GROUP BY ALL",
        "SELECT group_key, error_count, component_count, first_seen_at, last_seen_at FROM dim_error_groups",
    ),
}
_MEASURES = {
    "load of hosts": (
        f"SELECT * FROM (SELECT host, {_MINUTE}, {HOST_FIGURES} FROM hot_host GROUP BY ALL)"
        f" WHERE {_SOME_HOST}",
        f"SELECT host, minute_at, {_HOST} FROM fct_host_usage_minutely WHERE {_SOME_HOST}",
    ),
    # `series` is a table of the test's: number by number what the window knows of each. What goes up and
    # down only: of counters the window keeps the same, and the marts what they gained besides.
    "values of metrics": (
        "SELECT component, metric, labels, date_trunc('hour', bucket_at), min(low), sum(total) / sum(n), max(high), max_by(last, row(last_at, last))"
        " FROM hot_points JOIN series USING (series) GROUP BY ALL",
        "SELECT component, metric, series, hour_at, value_min, value_avg, value_max, value_last"
        " FROM fct_metric_points_hourly WHERE value_avg IS NOT NULL",
    ),
}
_DOOR = {
    "items at the door": (
        f"SELECT component, signal, outcome, sum(items)::BIGINT FROM hot_ledger WHERE outcome IN ({_OUTCOMES})"
        " GROUP BY ALL",
        "SELECT component, signal, replace(outcome, '_items', ''), sum(items)::BIGINT FROM ("
        "UNPIVOT (SELECT component, signal, arrived_items, accepted_items, rejected_items, dropped_items,"
        " noted_items FROM fct_landed_items_hourly) ON COLUMNS('_items$') INTO NAME outcome VALUE items)"
        " WHERE items > 0 GROUP BY ALL",
    ),
    "items that were new": (
        "SELECT component, signal, sum(items)::BIGINT FROM hot_sightings GROUP BY ALL",
        "SELECT component, signal, sum(landed_items)::BIGINT FROM fct_landed_items_hourly"
        " WHERE landed_items > 0 GROUP BY ALL",
    ),
    "components": (
        "SELECT component, min(first_at), max(last_at) FROM hot_sightings GROUP BY ALL",
        "SELECT component, first_seen_at, last_seen_at FROM dim_components",
    ),
}
SHARED = _REQUESTS | _CALLS | _SOCKETS | _RECORDS | _FAILURES | _MEASURES | _DOOR
"""By figure: the hot query and the cold one; their rows are compared as they are."""
