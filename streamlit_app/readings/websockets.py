"""WebSockets: connections, how long they last, messages, bytes, how they close.

Here: one function per question. Not here: requests (`requests`). A connection is told of when it ends: those
that are open show themselves by their messages.
"""

from streamlit_app.readings import ranges, source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_MART = "fct_websocket_connections"


def by_route(view: View) -> Reading:
    """component, route, closed_connections, median_duration_ms, messages_received, messages_sent,
    bytes_received, bytes_sent (null when not reported), abnormal_closes."""
    if ranges.is_live(view):
        return source.live("websockets", **ranges.asked(view, "component"))
    sql = f"""
        SELECT component, route, count(*) AS closed_connections,
            median(duration_ms) AS median_duration_ms,
            coalesce(sum(messages_received), 0)::BIGINT AS messages_received,
            coalesce(sum(messages_sent), 0)::BIGINT AS messages_sent,
            sum(bytes_received)::BIGINT AS bytes_received, sum(bytes_sent)::BIGINT AS bytes_sent,
            count(*) FILTER (WHERE close_code NOT IN (1000, 1001)) AS abnormal_closes
        FROM {_MART} WHERE {ranges.within("component", time="opened_at")}
        GROUP BY ALL ORDER BY messages_sent DESC, component, route"""
    return source.marts(sql, **ranges.bound(view, "component"))


def closes(view: View) -> Reading:
    """component, route, close_code (null when not reported), connections."""
    if ranges.is_live(view):
        return source.live("websocket_closes", **ranges.asked(view, "component"))
    sql = f"""
        SELECT component, route, close_code, count(*) AS connections FROM {_MART}
        WHERE {ranges.within("component", time="opened_at")}
        GROUP BY ALL ORDER BY connections DESC, component, route, close_code"""
    return source.marts(sql, **ranges.bound(view, "component"))


def open_by_minute(view: View) -> Reading:
    """bucket_at, component, route, active_connections (with a message in the minute), message_count."""
    if ranges.is_live(view):
        return source.live("websockets_open", **ranges.asked(view, "component"))
    sql = f"""
        SELECT minute_at AS bucket_at, component, route, active_connections,
            (messages_received + messages_sent)::BIGINT AS message_count
        FROM fct_websocket_messages_minutely WHERE {ranges.within("component")} ORDER BY 1, 2, 3"""
    return source.marts(sql, **ranges.bound(view, "component"))
