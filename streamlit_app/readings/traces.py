"""Exemplars and traces: from a route, a model or a statement to one of its calls, and what it was part of.

Here: one function per question. Not here: drawing a waterfall (`streamlit_app/components`). A trace lies in
the live window for as long as that reaches; of older ones the marts keep those of exemplars.
"""

import re

import pandas as pd

from streamlit_app.readings import ranges, source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_FILTERS = ranges.RELEASED
_MOST = 200
_ID = re.compile(r"[0-9a-f]{32}\Z")
# An id alone, as a UUID, or as the second part of a `traceparent` (W3C Trace Context).
_WRITTEN = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-f])"
)


def exemplars(
    view: View, kind: str, subject: str | None = None, verb: str | None = None, limit: int = 50
) -> Reading:
    """The failed and the slowest of kind request, ai_call or db, failed first, slowest first.

    `subject` is a route, a model or a statement, `verb` a method or an operation.

    event_at, component, version, environment, name (route, model or statement), verb, system, status,
    duration_ms, is_failed, error_type, input_tokens, output_tokens, trace_id, span_id.
    """
    given = {"kind": kind, "subject": subject, "verb": verb, "limit": min(limit, _MOST)}
    if ranges.is_live(view):
        return source.live("exemplars", **ranges.asked(view, *_FILTERS), **given)
    sql = f"""
        SELECT * EXCLUDE (window_at) REPLACE (event_at AT TIME ZONE 'UTC' AS event_at)
        FROM fct_exemplars WHERE {ranges.within(*_FILTERS, time="event_at")} AND kind = $kind
            AND ($subject IS NULL OR name = $subject) AND ($verb IS NULL OR verb = $verb)
        ORDER BY is_failed DESC, duration_ms DESC, event_at, span_id LIMIT $limit"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS), **given)


def of_error_group(view: View, key: str, limit: int = 50) -> Reading:
    """event_at, component, version, environment, trace_id of errors of a group that were part of a trace."""
    if ranges.is_live(view):
        found = source.live("error_group", key=key, limit=min(limit, _MOST))
        if found.frame.empty:
            return found
        wanted = ["event_at", "component", "version", "environment", "trace_id"]
        rows = found.frame[found.frame["trace_id"].notna()][wanted]
        inside = (rows["event_at"] >= view.start_at) & (rows["event_at"] < view.end_at)
        return found.with_frame(
            pd.DataFrame(rows[inside | view.ends_now & (rows["event_at"] >= view.start_at)])
        )
    sql = f"""
        SELECT event_at AT TIME ZONE 'UTC' AS event_at, component, version, environment, trace_id
        FROM fct_exemplars WHERE {ranges.within(*_FILTERS, time="event_at")} AND kind = 'error'
            AND name = $key ORDER BY event_at DESC LIMIT $limit"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS), key=key, limit=min(limit, _MOST))


def spans(trace_id: str) -> Reading:
    """Spans of a trace in order of their start; no row when it is kept nowhere.

    span_id, parent_span_id, component, instance, version, environment, kind, name, start_at, duration_ns,
    status_code, status_message, attributes (dictionary), events (each with event_at, name, attributes).
    Nothing of it stands for a person or a session. Raises ValueError for what is no trace id.
    """
    wanted = _checked(trace_id)
    hot = source.live("trace", trace_id=wanted)
    if len(hot.frame):
        return hot
    sql = """
        SELECT * EXCLUDE (trace_id) REPLACE (start_at AT TIME ZONE 'UTC' AS start_at)
        FROM fct_trace_spans WHERE trace_id = $trace_id ORDER BY start_at, duration_ns DESC, span_id"""
    cold = source.marts(sql, trace_id=_published(wanted))
    if cold.frame.empty:
        return hot if hot.problem else cold
    return cold.with_frame(
        cold.frame.assign(
            attributes=cold.frame["attributes"].map(dict), events=cold.frame["events"].map(_events)
        )
    )


def logs(trace_id: str) -> Reading:
    """event_at, component, severity, body, span_id of the log records of a trace."""
    wanted = _checked(trace_id)
    hot = source.live("trace_logs", trace_id=wanted)
    if len(hot.frame):
        return hot
    sql = """
        SELECT event_at AT TIME ZONE 'UTC' AS event_at, component, severity, body, span_id
        FROM fct_log_lines WHERE trace_id = $trace_id ORDER BY event_at, component, body"""
    cold = source.marts(sql, trace_id=_published(wanted))
    return hot if cold.frame.empty and hot.problem else cold


def errors(trace_id: str) -> Reading:
    """event_at, component, group_key, title, culprit, exception_type of the errors of a trace."""
    wanted = _checked(trace_id)
    hot = source.live("trace_errors", trace_id=wanted)
    if len(hot.frame):
        return hot
    sql = """
        SELECT event_at AT TIME ZONE 'UTC' AS event_at, e.component, e.name AS group_key, title, culprit,
            exception_type
        FROM fct_exemplars AS e LEFT JOIN dim_error_groups AS g ON g.group_key = e.name
        WHERE e.kind = 'error' AND trace_id = $trace_id ORDER BY event_at, group_key"""
    cold = source.marts(sql, trace_id=_published(wanted))
    return hot if cold.frame.empty and hot.problem else cold


def id_in(text: str) -> str | None:
    """The trace id in a text from another place, as marts and live window write it; None without one.

    An id alone in either case, a UUID, a `traceparent`, a line of a log that holds one.
    """
    found = _WRITTEN.search(text.strip().lower())
    return found[0].replace("-", "") if found else None


def _checked(trace_id: str) -> str:
    wanted = trace_id.strip().lower()
    if not _ID.match(wanted):
        raise ValueError("this is no trace id: one has 32 hexadecimal digits.")
    return wanted


def _published(hexadecimal: str) -> str:
    """An id as marts tell it (`dbt/macros/ids.sql`)."""
    return "a" + hexadecimal[1:] if hexadecimal.isdigit() else hexadecimal


def _events(events: object) -> list[dict[str, object]]:
    found = [] if events is None else list(events)  # type: ignore[call-overload]
    return [{**event, "attributes": dict(event["attributes"] or {})} for event in found]
