"""WebSockets: how many are open, how long they last, what goes through them, how they close."""

from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from streamlit_app.components import address, drawing, formats, frame
from streamlit_app.components.calls import sums
from streamlit_app.components.calls.known_names import released
from streamlit_app.components.header.saved_menu import marks
from streamlit_app.components.panels import Panel, asked, panel
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import websockets
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_HELP = """
A connection is told of when it ends; one that is open shows itself by its messages. Codes 1000 and 1001 are
how a connection should close; the others are abnormal. Click a route for its component's requests and errors.
"""
_FILL = "Spans of WebSocket connections and messages fill it."
_OPEN = Panel(
    "Open connections", "ws-open", "WebSocket messages",
    "Connections that sent or received in the minute, by route: of an open one nothing else is known.", _FILL,
)  # fmt: skip
_MESSAGES = Panel(
    "Messages per second", "ws-messages", "WebSocket messages",
    "Received and sent together, by route.", _FILL,
)  # fmt: skip
_CLOSES = Panel(
    "Closes by code", "ws-closes", "closed WebSocket connections",
    "Codes of RFC 6455 and what they mean. A dash: the connection's span names none.", _FILL,
)  # fmt: skip
_ROUTES = Panel(
    "Routes, most messages first", "ws-routes", "WebSocket connections",
    "Duration is the median of connections that ended.", _FILL,
)  # fmt: skip
_STEP_S = 60
_MEANINGS = {
    1000: "normal", 1001: "going away", 1002: "protocol error", 1003: "unsupported data",
    1005: "no code was sent", 1006: "lost without a close", 1007: "invalid data", 1008: "against a policy",
    1009: "message too big", 1010: "extension missing", 1011: "server error", 1012: "server restarts",
    1013: "try again later", 1014: "bad gateway", 1015: "TLS failed",
}  # fmt: skip
_CALM = (1000, 1001)


_COLUMNS = (
    Column("route", "Route"),
    Column("component", "Component"),
    Column("closed_connections", "Closed", "number", formats.whole),
    Column("abnormal_closes", "Abnormal", "bar", formats.whole, is_bad=lambda v: v > 0),
    Column("median_duration_ms", "Median duration", "bar", formats.duration_ms),
    Column("messages_received", "Messages in", "number", formats.whole),
    Column("messages_sent", "Messages out", "bar", formats.whole),
    Column("bytes_received", "Bytes in", "number", formats.whole),
    Column("bytes_sent", "Bytes out", "number", formats.whole),
)


def main() -> None:
    """Draw the page."""
    shown = frame.page(
        "websockets", "WebSockets", filters=("component",), known=released, help=_HELP
    )
    frame.live(_drawn, shown)


def _drawn(shown: View) -> None:
    routes = asked("websockets", websockets.by_route, shown)
    over_time = asked("websockets_open", websockets.open_by_minute, shown)
    _figures(routes, over_time, shown)
    left, middle, right = st.columns(3)
    with left:
        panel(_OPEN, shown, over_time, lambda r: _lines(r, shown, "active_connections", 1, ""))
    with middle:
        panel(
            _MESSAGES, shown, over_time, lambda r: _lines(r, shown, "message_count", _STEP_S, "/s")
        )
    with right:
        panel(_CLOSES, shown, asked("websocket_closes", websockets.closes, shown), _closes)
    panel(_ROUTES, shown, routes, _routes)


def _figures(routes: Reading | None, over_time: Reading | None, shown: View) -> None:
    rows = routes.frame if routes is not None else pd.DataFrame()
    if rows.empty:
        return
    closed, abnormal = sums.total(rows, "closed_connections"), sums.total(rows, "abnormal_closes")
    calm = "No connection ended in this range."
    tiles(
        [
            Tile("Open", formats.number(_open(over_time, shown), digits=0), note="spoke in the last minute",
                 missing="No message came in the last two minutes of the range."),
            Tile("Closed", formats.number(closed, digits=0)),
            Tile("Abnormal", formats.percent(sums.share(abnormal, closed)),
                 state="warning" if abnormal else None, missing=calm),
            Tile("Median duration", formats.duration_ms(_median(rows)), missing=calm),
            Tile("Messages in", _total(rows, "messages_received")),
            Tile("Messages out", _total(rows, "messages_sent")),
            Tile("Bytes out", _total(rows, "bytes_sent"), missing="No span reports bytes."),
        ]
    )  # fmt: skip


def _open(over_time: Reading | None, shown: View) -> float | None:
    """Connections with a message in the last whole minute of the range."""
    if over_time is None or over_time.frame.empty:
        return None
    times = pd.to_datetime(over_time.frame["bucket_at"], utc=True)
    after = shown.end_at - timedelta(seconds=2 * _STEP_S)
    last = pd.DataFrame(over_time.frame[times >= pd.Timestamp(after)])
    first = last[last["bucket_at"] == last["bucket_at"].min()] if len(last) else last
    return sums.total(pd.DataFrame(first), "active_connections")


def _median(rows: pd.DataFrame) -> float | None:
    """That of the route of which most connections ended: medians of routes make none of all."""
    pairs = zip(rows["closed_connections"], rows["median_duration_ms"], strict=True)
    known = [(float(count), float(ms)) for count, ms in pairs if not pd.isna(ms)]
    return max(known)[1] if known else None


def _total(rows: pd.DataFrame, name: str) -> str:
    return formats.number(sums.total(rows, name), digits=0)


def _lines(reading: Reading, shown: View, name: str, over: int, unit: str) -> dict[str, Any]:
    """A count of each minute by route; several minutes share a bucket where the range is long."""
    step = shown.step_s(_STEP_S)
    times = pd.to_datetime(reading.frame["bucket_at"], utc=True).dt.floor(f"{step}s")
    names = reading.frame["component"] + " " + reading.frame["route"]
    rows = reading.frame.assign(
        bucket_at=times, series=names, value=reading.frame[name].astype(float) / over
    )
    mean = rows.groupby(["bucket_at", "series"], as_index=False)["value"].mean()
    folded = charts.fold_series(pd.DataFrame(mean), "series", "value")
    return drawing.time_chart(
        folded,
        "value",
        "series",
        unit,
        shown,
        key=name,
        step_s=step,
        marks=marks(shown),
        height=170,
    )


def _closes(reading: Reading) -> None:
    codes = reading.frame["close_code"].astype("Float64")
    grouped = reading.frame.assign(code=codes).groupby("code", dropna=False, as_index=False)
    rows = pd.DataFrame(grouped["connections"].sum()).sort_values("connections", ascending=False)
    rows["told"] = [_told(code) for code in rows["code"]]
    ranked_table(
        rows,
        (Column("told", "Code", "pill"), Column("connections", "Connections", "bar", formats.whole)),
        key="closes", caption="Closes by code, most first", most=6,
    )  # fmt: skip


def _told(code: Any) -> tuple[str, str]:
    """State and words of a close code."""
    if pd.isna(code):
        return "unknown", "not reported"
    number = int(code)
    words = _MEANINGS.get(number, "defined by the application")
    return ("ok" if number in _CALM else "warning"), f"{number} {words}"


def _routes(reading: Reading) -> None:
    ranked_table(
        reading.frame, _COLUMNS, key="sockets", caption="Routes, most messages first", most=10,
        link=lambda row: address.view().link("performance", component=row["component"]),
    )  # fmt: skip


main()
