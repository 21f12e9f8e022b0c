"""Requests: rates, latency, routes, in a view and in the one it is compared with.

Here: one function per question. Not here: single requests (`traces`, `tail`), AI calls (`ai_models`).
"""

import pandas as pd

from ingestion.meaning.histograms import NOTHING, milliseconds_sql
from streamlit_app.readings import ranges, releases, source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_MART = "fct_requests_minutely"
_FILTERS = (*ranges.RELEASED, "route")
_COUNTS = {
    "request_count": "sum(request_count)::BIGINT",
    "error_count": "sum(error_count)::BIGINT",
}
_RATES = "request_per_s error_pct p95_ms ai_calls_per_min output_tokens_per_s".split()


def summary(view: View) -> Reading:
    """One row: request_per_s, error_pct, p95_ms, ai_calls_per_min, output_tokens_per_s; with the prefix
    `previous_` those of what the view is compared with, the period before unless it says otherwise.

    None where nothing was measured.
    """
    found = _rates(view)
    other = releases.compared(view) or view.but(
        start_at=view.previous()[0], end_at=view.previous()[1]
    )
    before = _rates(other).frame
    if found.problem or found.frame.empty:
        return found
    row = found.frame.iloc[[0]].reset_index(drop=True)[_RATES]
    for name in _RATES:
        row[f"previous_{name}"] = before.iloc[0][name] if len(before) else None
    return found.with_frame(row)


def _rates(view: View) -> Reading:
    if ranges.is_live(view):
        return source.live("summary", **ranges.asked(view, *_FILTERS))
    seconds = view.length.total_seconds()
    counts = f"""sum(request_count) / {seconds} AS request_per_s,
            100.0 * sum(error_count) / nullif(sum(request_count), 0) AS error_pct"""
    sql = f"""
        WITH chosen AS (SELECT * FROM {_MART} WHERE {ranges.within(*_FILTERS)}),
        entries AS (SELECT duration_ms_max, unnest(map_entries(latency_histogram)) AS entry FROM chosen),
        running AS (
            SELECT entry.key AS bucket, sum(sum(entry.value)) OVER (ORDER BY entry.key) AS so_far,
                sum(sum(entry.value)) OVER () AS total, max(duration_ms_max) AS longest_ms
            FROM entries GROUP BY 1
        ),
        requests AS (SELECT {counts} FROM chosen),
        calls AS (
            SELECT sum(call_count) * 60.0 / {seconds} AS ai_calls_per_min,
                sum(output_tokens) / {seconds} AS output_tokens_per_s
            FROM fct_ai_calls_minutely WHERE {ranges.within(*ranges.RELEASED)}
        )
        SELECT * FROM requests, calls, (SELECT {ranges.P95} AS p95_ms FROM running)"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS))


def by_component(view: View) -> Reading:
    """bucket_at, component, request_count, error_count, p50_ms, p95_ms, p99_ms."""
    if ranges.is_live(view):
        return _stepped("requests", view)
    names = {"bucket_at": ranges.bucketed(view), "component": "component"}
    return _cold(view, names, order="bucket_at, component")


def latency(view: View) -> Reading:
    """bucket_at, request_count, error_count, p50_ms, p95_ms, p99_ms: all that is chosen together."""
    if ranges.is_live(view):
        return _stepped("latency", view)
    return _cold(view, {"bucket_at": ranges.bucketed(view)}, order="bucket_at")


def statuses(view: View) -> Reading:
    """bucket_at, status_class, request_count, error_count."""
    if ranges.is_live(view):
        return _stepped("statuses", view)
    sql = f"""
        SELECT {ranges.bucketed(view)} AS bucket_at, status_class,
            sum(request_count)::BIGINT AS request_count, sum(error_count)::BIGINT AS error_count
        FROM {_MART} WHERE {ranges.within(*_FILTERS)} GROUP BY ALL ORDER BY 1, 2"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS))


def heat(view: View) -> Reading:
    """bucket_at, log_bucket, latency_ms, request_count: the latency distribution over time."""
    if ranges.is_live(view):
        return _stepped("latency_buckets", view)
    sql = f"""
        SELECT bucket_at, entry.key AS log_bucket, sum(entry.value)::BIGINT AS request_count,
            {milliseconds_sql("entry.key")} AS latency_ms
        FROM (
            SELECT {ranges.bucketed(view)} AS bucket_at, unnest(map_entries(latency_histogram)) AS entry
            FROM {_MART} WHERE {ranges.within(*_FILTERS)}
        ) WHERE entry.key > {NOTHING} GROUP BY ALL ORDER BY 1, 2"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS))


def routes(view: View) -> Reading:
    """component, route, method, request_count, error_count, p50_ms, p95_ms, p99_ms, ms_max, and
    previous_p95_ms, previous_request_count, p95_change_pct against what the view is compared with.

    Slowest first; what was not there before has no change.
    """
    found = _routes(view)
    other = releases.compared(view) or view.but(
        start_at=view.previous()[0], end_at=view.previous()[1]
    )
    if found.problem or found.frame.empty:
        return found
    keys = ["component", "route", "method"]
    before = _routes(other).frame
    rows = found.frame.copy()
    if before.empty:
        rows["previous_p95_ms"] = rows["previous_request_count"] = None
    else:
        names = {"p95_ms": "previous_p95_ms", "request_count": "previous_request_count"}
        rows = rows.merge(pd.DataFrame(before[[*keys, *names]]).rename(columns=names), "left", keys)
    was = rows["previous_p95_ms"].astype(float)
    rows["p95_change_pct"] = 100 * (rows["p95_ms"] - was) / was.where(was > 0)
    return found.with_frame(rows)


def _routes(view: View) -> Reading:
    if ranges.is_live(view):
        return source.live("routes", **ranges.asked(view, *_FILTERS))
    return _cold(
        view,
        ranges.same("component", "route", "method"),
        order="p95_ms DESC, component, route, method",
        ms_max="max(duration_ms_max)",
    )


def _stepped(name: str, view: View) -> Reading:
    return source.live(name, step_s=ranges.step_s(view), **ranges.asked(view, *_FILTERS))


def _cold(view: View, names: dict[str, str], *, order: str, **further: str) -> Reading:
    where = ranges.within(*_FILTERS)
    sql = ranges.with_quantiles(_MART, names, {**_COUNTS, **further}, where, order=order)
    return source.marts(sql, **ranges.bound(view, *_FILTERS))
