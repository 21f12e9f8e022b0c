"""Components, processes and hosts.

Here: one function per question. Not here: requests and calls.
"""

from streamlit_app.readings import ranges, source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View


def components() -> Reading:
    """component, version, environment, state, state_reason, rates, requests_by_minute; worst first."""
    return source.live("components")


def processes(view: View) -> Reading:
    """component, cpu_seconds, cpu_utilization_pct, memory_mb, cpu_ms_per_request, from the marts."""
    sql = f"""
        SELECT component, sum(cpu_seconds) AS cpu_seconds, avg(cpu_utilization_pct) AS cpu_utilization_pct,
            max(memory_bytes) / 1e6 AS memory_mb,
            sum(cpu_seconds) * 1000 / nullif(sum(request_count), 0) AS cpu_ms_per_request
        FROM fct_process_usage_minutely WHERE {ranges.within("component")} GROUP BY ALL
        ORDER BY cpu_seconds DESC NULLS LAST"""
    return source.marts(sql, **ranges.bound(view, "component"))


def hosts(view: View) -> Reading:
    """bucket_at, host, cpu_utilization_pct, memory_utilization_pct, load_1m."""
    if ranges.is_live(view):
        return source.live("host", step_s=ranges.step_s(view), **ranges.asked(view))
    sql = f"""
        SELECT {ranges.bucketed(view)} AS bucket_at, host,
            avg(cpu_utilization_pct) AS cpu_utilization_pct,
            avg(memory_utilization_pct) AS memory_utilization_pct, avg(load_1m) AS load_1m
        FROM fct_host_usage_minutely WHERE {ranges.within()} GROUP BY ALL ORDER BY 1, 2"""
    return source.marts(sql, **ranges.bound(view))
