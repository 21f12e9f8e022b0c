"""Performance: where time goes, from all requests to a minute, a route, and the calls that made it slow."""

from typing import Any

import pandas as pd
import streamlit as st

from streamlit_app.components import address, drawing, formats, frame, panels
from streamlit_app.components.calls import chosen_minute, sums
from streamlit_app.components.calls.calls_panel import calls_panel
from streamlit_app.components.calls.known_names import heard, released
from streamlit_app.components.header.saved_menu import marks
from streamlit_app.components.header.style import look
from streamlit_app.components.panels import Panel, asked, panel
from streamlit_app.components.ranked_table import Column, Row, ranked_table
from streamlit_app.components.summary_figures import AI_CALLS, ERRORS, P95, REQUESTS
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import databases, machines, ranges, requests, websockets
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_HELP = """
Where time goes. The heat map shows all requests, the lines their quantiles, the table the slowest routes
first. Click a cell, a point or a row for what it is made of; drag over a chart to zoom. *Compare* draws the
p95 of another time or release as a dashed line; triangles are releases and notes.
"""
_HEAT = Panel(
    "Latency distribution", "heat", "requests",
    "Requests by time and duration; a darker cell holds more. Click one for its minute.",
)  # fmt: skip
_LINES = Panel(
    "Latency, ms", "latency", "requests",
    "Half of all requests took at most p50, 95 of 100 at most p95, 99 at most p99; within 1 %.",
)  # fmt: skip
_STATUSES = Panel(
    "Answers by status", "statuses", "requests",
    "Requests by the class of their status. What has none failed before it was answered.",
)  # fmt: skip
_ROUTES = Panel(
    "Routes, slowest first", "routes", "requests",
    "The change is that of p95 against the period before, or against what the page compares with.",
)  # fmt: skip
_PROCESSES = Panel(
    "Processes", "processes", "process metrics",
    "Processor time of each component's processes, in all and for each request it answered.",
    fill="Runtime metrics of a component fill it, as `process.cpu.time`.",
)  # fmt: skip
_HOSTS = Panel(
    "Processor of the hosts, %", "hosts", "host metrics",
    "How busy the hosts were on which components and this monitor run.",
    fill="The monitor's own collector and `system.cpu.time` fill it.",
)  # fmt: skip
_SLOW_S = 15
_MOST = 8


_COLUMNS = (
    Column("told", "Route", hover=lambda row: str(row["told"])),
    Column("component", "Component"),
    Column("request_count", "Requests", "bar", formats.whole),
    Column("error_count", "Errors", "bar", formats.whole, is_bad=lambda v: v > 0),
    Column("p50_ms", "p50 ms", "number", formats.plain_ms),
    Column("p95_ms", "p95 ms", "bar", formats.plain_ms),
    Column("p95_change_pct", "Change %", "number", lambda v: f"{v:+,.0f}".replace("-", "\u2212"),
           note="Of p95, against the period before or what is compared with"),
    Column("p99_ms", "p99 ms", "number", formats.plain_ms),
    Column("ms_max", "Max ms", "number", formats.plain_ms),
)  # fmt: skip
_USED = (
    Column("component", "Component"),
    Column("cpu_seconds", "CPU s", "bar", lambda v: f"{v:,.1f}"),
    Column("cpu_utilization_pct", "CPU %", "number", lambda v: f"{v:.1f}"),
    Column("memory_mb", "Memory MB", "number", formats.whole),
    Column("cpu_ms_per_request", "CPU ms per request", "number", lambda v: f"{v:,.1f}"),
)


def main() -> None:
    """Draw the page."""
    route = st.query_params.get("route")
    trail = [("All routes", address.here(route=None)), (route, "")] if route else []
    shown = frame.page(
        "performance", "Performance", filters=("component", "environment", "version", "route"),
        known=_known, trail=trail, help=_HELP,
    )  # fmt: skip
    frame.live(_now, shown)
    frame.live(_below, shown, least_s=_SLOW_S)


def _known(shown: View) -> dict[str, list[str]]:
    return released(shown) | heard("route", "routes", requests.routes, shown)


def _now(shown: View) -> None:
    _figures(shown)
    step = ranges.step_s(shown)
    left, middle, right = st.columns([5, 5, 4])
    with left:
        panel(_HEAT, shown, asked("latency_buckets", requests.heat, shown),
              lambda r: drawing.heat_map(r.frame, shown, key="heat", step_s=step, height=190))  # fmt: skip
    with middle:
        panel(_LINES, shown, asked("latency", requests.latency, shown),
              lambda r: panels.quantile_chart(
                  r.frame, shown, step, key="performance-latency",
                  other=panels.compared(requests.latency, shown)))  # fmt: skip
    with right:
        panel(_STATUSES, shown, asked("statuses", requests.statuses, shown),
              lambda r: _statuses(r, shown, step))  # fmt: skip


def _figures(shown: View) -> None:
    """What the page is about in numbers; three of them lead to pages of their own."""
    reading = asked("summary", requests.summary, shown)
    if reading is None or reading.frame.empty:
        return
    row = reading.frame.iloc[0].to_dict()
    plain = shown.but(route=None)
    tiles(
        [
            REQUESTS.tile(row, ""),
            ERRORS.tile(row, shown.link("errors")),
            P95.tile(row, shown.link("traces", back="performance")),
            AI_CALLS.tile(row, plain.link("ai_models")),
            _database_tile(plain),
            _socket_tile(plain),
        ]
    )  # fmt: skip


def _database_tile(shown: View) -> Tile:
    reading = asked("databases", databases.statements, shown)
    return Tile(
        "Database operations",
        _rate(reading, "operation_count", shown),
        link=shown.link("databases"),
    )


def _socket_tile(shown: View) -> Tile:
    reading = asked("websockets_open", websockets.open_by_minute, shown)
    return Tile(
        "WebSocket messages", _rate(reading, "message_count", shown), link=shown.link("websockets")
    )


def _rate(reading: Reading | None, name: str, shown: View) -> str:
    rows = reading.frame if reading is not None else pd.DataFrame()
    return formats.number(sums.rate(rows, name, shown.length.total_seconds()), "/s")


def _statuses(reading: Reading, shown: View, step: int) -> dict[str, Any]:
    colours = look()
    known = {
        "2xx": colours.series[0],
        "3xx": colours.unknown,
        "4xx": colours.warning,
        "5xx": colours.critical,
    }
    rows = reading.frame.assign(status=reading.frame["status_class"].where(
        reading.frame["status_class"].isin(list(known)), "none"))  # fmt: skip
    named = {**known, "none": colours.text}
    there = [name for name in named if name in set(rows["status"])]
    counts = rows.groupby(["bucket_at", "status"], as_index=False)["request_count"].sum()
    return drawing.bars_over_time(
        pd.DataFrame(counts), "request_count", "status", "requests", shown, key="statuses", step_s=step,
        known=there, colours=[named[name] for name in there], height=190,
    )  # fmt: skip


def _below(shown: View) -> None:
    minute = chosen_minute.chosen(shown, ranges.step_s(shown))
    chosen_minute.line(minute)
    if shown.route:
        _calls(shown, minute)
        _routes(shown, minute)
    else:
        _routes(shown, minute)
        _calls(shown, minute)
    left, right = st.columns(2)
    with left:
        panel(_PROCESSES, shown, asked("host", machines.processes, shown), _processes)
    with right:
        panel(_HOSTS, shown, asked("host", machines.hosts, shown), lambda r: _hosts(r, shown))


def _calls(shown: View, minute: View | None) -> None:
    title = (
        f"Slow and failed requests of {shown.route}" if shown.route else "Slow and failed requests"
    )
    at = st.query_params.get("at", "")
    calls_panel(
        title, "request", shown, back="performance", subject=shown.route, minute=minute, at=at
    )


def _routes(shown: View, minute: View | None) -> None:
    wanted = minute or shown
    panel(_ROUTES, wanted, asked("routes", requests.routes, wanted), _route_table)


def _route_table(reading: Reading) -> None:
    def opened(row: Row) -> str:
        return address.here(route=row["route"], component=row["component"])

    rows = reading.frame.assign(told=reading.frame["method"] + " " + reading.frame["route"])
    ranked_table(
        rows,
        _COLUMNS,
        key="routes",
        caption="Routes, slowest first",
        link=opened,
        most=_MOST,
    )


def _processes(reading: Reading) -> None:
    ranked_table(
        reading.frame, _USED, key="processes", caption="Processes, most processor time first"
    )


def _hosts(reading: Reading, shown: View) -> dict[str, Any]:
    rows = reading.frame.assign(value=reading.frame["cpu_utilization_pct"].astype(float))
    return drawing.time_chart(
        rows,
        "value",
        "host",
        "%",
        shown,
        key="hosts",
        step_s=ranges.step_s(shown),
        marks=marks(shown),
        height=150,
    )


main()
