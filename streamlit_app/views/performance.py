"""Performance: where time goes, by route, model, database, socket and process."""

import streamlit as st

from streamlit_app.components import drawing, formats, frame, panels, states, tables
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.readings import performance as data
from streamlit_app.readings import source
from streamlit_app.view import View

_HELP = """
Where time goes. The heat map shows all requests, the lines their quantiles, the table the slowest
routes first. Click a cell or a row for what it is made of.
"""


def _ms(value: float) -> str:
    return f"{value:,.0f}"


_ROUTES = (
    Column("route", "Route"),
    Column("method", "Method"),
    Column("component", "Component"),
    Column("request_count", "Requests", "bar", lambda v: f"{v:,.0f}"),
    Column("error_count", "Errors", "bar", lambda v: f"{v:,.0f}", is_bad=lambda v: v > 0),
    Column("p50_ms", "p50 ms", "number", _ms),
    Column("p95_ms", "p95 ms", "bar", _ms),
    Column("p99_ms", "p99 ms", "number", _ms),
    Column("ms_max", "Max ms", "number", _ms),
)


def main() -> None:
    """Draw the page."""
    shown = frame.page(
        "performance", "Performance", filters=("component",), known=_known, help=_HELP
    )
    frame.live(_latency, shown)
    _routes(shown)
    minutes, component = shown.minutes, shown.component
    left, right = st.columns(2)
    with left:
        _table("AI models", "AI calls", data.ai_models(minutes, component))
        _table("WebSockets", "WebSocket connections", data.websockets(minutes, component))
    with right:
        _table("Databases", "database operations", data.databases(minutes, component))
        _table("Processes", "process metrics", data.processes(minutes, component))


def _known(shown: View) -> dict[str, list[str]]:
    found = data.requests(shown.minutes, None).frame
    return {"component": sorted(found["component"].unique()) if len(found) else []}


def _latency(shown: View) -> None:
    minutes, component = shown.minutes, shown.component
    left, right = st.columns(2)
    with left, st.container(border=True):
        panels.heading("Latency distribution")
        reading = data.heat(minutes, component)
        if not states.problem(reading):
            if reading.frame.empty:
                states.empty("requests")
            else:
                drawing.heat_map(reading.frame, shown, key="heat", step_s=data.step_s(minutes))
    with right, st.container(border=True):
        reading = data.latency(minutes, component)
        panels.latency_lines(
            reading, shown, data.step_s(minutes), key="performance-latency", height=220
        )


def _routes(shown: View) -> None:
    with st.container(border=True):
        reading = data.routes(shown.minutes, shown.component)
        with panels.heading("Routes, slowest first"):
            export_menu("routes", reading.frame, shown)
        if states.problem(reading):
            return
        if reading.frame.empty:
            states.empty("requests")
            return
        ranked_table(
            reading.frame,
            _ROUTES,
            key="routes",
            caption="Routes, slowest first",
            link=lambda row: shown.link("performance", component=row["component"]),
            most=8,
        )


def _table(title: str, what: str, reading: source.Reading) -> None:
    with st.container(border=True):
        st.markdown(f"**{title}**")
        if states.problem(reading):
            return
        if reading.frame.empty:
            states.empty(what)
            return
        # A column nobody measured is left out rather than shown empty.
        shown = reading.frame.dropna(axis="columns", how="all")
        missing = [c for c in reading.frame.columns if c not in shown.columns]
        st.dataframe(
            tables.shown(shown),
            hide_index=True,
            placeholder=formats.NOT_MEASURED,
            width="stretch",
            height=min(38 + 35 * len(shown), 250),
            column_config=tables.column_config(list(shown.columns)),
        )
        if missing:
            words = ", ".join(c.replace("_", " ") for c in missing)
            st.caption(f"{formats.NOT_MEASURED} not measured: {words}")


main()
