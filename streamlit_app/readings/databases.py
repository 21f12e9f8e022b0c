"""Databases: statements by time spent, errors, and connection pools.

Here: one function per question. Not here: single operations (`traces`).
"""

from streamlit_app.readings import ranges, source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_MART = "fct_db_operations_minutely"
_GROUPS = "component system operation collection statement".split()
_SUMS = {
    "operation_count": "sum(operation_count)::BIGINT",
    "error_count": "sum(error_count)::BIGINT",
    "duration_ms_sum": "sum(duration_ms_sum)",
    "returned_rows": "sum(returned_rows)::BIGINT",
}


def statements(view: View) -> Reading:
    """component, system, operation, collection, statement, operation_count, error_count, duration_ms_sum,
    returned_rows (null when not reported), p50_ms, p95_ms, p99_ms, and time_pct of all; most time first."""
    if ranges.is_live(view):
        found = source.live("databases", **ranges.asked(view, "component"))
    else:
        sql = ranges.with_quantiles(
            _MART, ranges.same(*_GROUPS), _SUMS, ranges.within("component"),
            order=f"duration_ms_sum DESC, {', '.join(_GROUPS)}",
        )  # fmt: skip
        found = source.marts(sql, **ranges.bound(view, "component"))
    if found.frame.empty:
        return found
    spent = found.frame["duration_ms_sum"].astype(float)
    whole = sum(spent)
    return found.with_frame(found.frame.assign(time_pct=100 * spent / whole if whole else None))


def pools(view: View) -> Reading:
    """component, system, pool, used_connections, idle_connections, max_connections, pending_requests (the
    most at once), wait_ms (mean), wait_count, timeout_count, from the marts; null is not measured."""
    sql = f"""
        SELECT component, system, pool, avg(used_connections) AS used_connections,
            avg(idle_connections) AS idle_connections, max(max_connections) AS max_connections,
            max(pending_requests) AS pending_requests,
            sum(wait_ms_sum) / nullif(sum(wait_count), 0) AS wait_ms,
            sum(wait_count)::BIGINT AS wait_count, sum(timeout_count)::BIGINT AS timeout_count
        FROM fct_db_pools_minutely WHERE {ranges.within("component")} GROUP BY ALL
        ORDER BY pending_requests DESC NULLS LAST, component, system, pool"""
    return source.marts(sql, **ranges.bound(view, "component"))


def pools_over_time(view: View) -> Reading:
    """bucket_at, component, pool, used_connections, pending_requests, from the marts."""
    sql = f"""
        SELECT {ranges.bucketed(view)} AS bucket_at, component, pool,
            avg(used_connections) AS used_connections, max(pending_requests) AS pending_requests
        FROM fct_db_pools_minutely WHERE {ranges.within("component")} GROUP BY ALL ORDER BY 1, 2, 3"""
    return source.marts(sql, **ranges.bound(view, "component"))
