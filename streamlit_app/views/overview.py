"""Overview: is everything all right, in one screen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from streamlit_app.components import address, drawing, formats, frame, panels, states
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import performance as data
from streamlit_app.readings import source
from streamlit_app.view import View

_HELP = """
Whether everything is all right: rates against the period before, requests and latency over time, and every
component with its state. Drag over a chart to zoom, follow a figure or a component to what it is made of.
"""


@dataclass(frozen=True)
class _Figure:
    label: str
    name: str
    form: Callable[[float | None], str]
    better: Literal["up", "down", "none"]
    page: str = "performance"


_FIGURES = (
    _Figure("Requests", "request_per_s", lambda v: formats.number(v, "/s"), "none"),
    _Figure("Errors", "error_pct", formats.percent, "down", "errors"),
    _Figure("p95 latency", "p95_ms", formats.duration_ms, "down"),
    _Figure("AI calls", "ai_calls_per_min", lambda v: formats.number(v, "/min"), "none"),
    _Figure("Tokens out", "output_tokens_per_s", lambda v: formats.number(v, "/s"), "none"),
)
_COLUMNS = (
    Column("component", "Component"),
    Column("state", "State", "pill"),
    Column("version", "Version"),
    Column("request_per_s", "Requests /s", "bar", lambda v: f"{v:,.2f}"),
    Column("error_pct", "Errors %", "bar", lambda v: f"{v:.1f}", is_bad=lambda v: v >= 1),
    Column("p95_ms", "p95 ms", "bar", lambda v: f"{v:,.0f}"),
    Column("requests_by_minute", "Last hour", "spark"),
    Column("seen", "Seen"),
)


def main() -> None:
    """Draw the page."""
    shown = frame.page("overview", "Overview", help=_HELP)
    frame.live(_live_part, shown)


def _live_part(shown: View) -> None:
    minutes = shown.minutes
    latency = data.latency(minutes, None)
    _figures(minutes, latency.frame, shown)
    left, right = st.columns(2)
    with left, st.container(border=True):
        _requests_chart(minutes, shown)
    with right, st.container(border=True):
        panels.latency_lines(latency, shown, data.step_s(minutes), key="overview-latency")
    with st.container(border=True):
        _components()


def _figures(minutes: int, latency: pd.DataFrame, shown: View) -> None:
    row = data.summary(minutes)
    calls = data.ai_calls(minutes).frame
    step = data.step_s(minutes)
    lines: dict[str, list[float]] = {}
    if len(latency):
        lines["request_per_s"] = list(latency["request_count"] / step)
        lines["error_pct"] = list(100 * latency["error_count"] / latency["request_count"])
        lines["p95_ms"] = latency["p95_ms"].tolist()
    if len(calls):
        lines["ai_calls_per_min"] = list(calls["call_count"])
        lines["output_tokens_per_s"] = list(calls["output_tokens"])
    tiles([_tile(figure, row, lines, shown) for figure in _FIGURES])


def _tile(
    figure: _Figure, row: dict[str, float | None], lines: dict[str, list[float]], shown: View
) -> Tile:
    name = figure.name
    before = row.get(f"previous_{name}")
    return Tile(
        figure.label,
        figure.form(row.get(name)),
        formats.change(row.get(name), before, as_points=name == "error_pct"),
        better=figure.better,
        spark=lines.get(name, ()),
        link=shown.link(figure.page),
    )


def _requests_chart(minutes: int, shown: View) -> None:
    reading = data.requests(minutes, None)
    panels.heading("Requests per second")
    if states.problem(reading):
        return
    if reading.frame.empty:
        states.empty("requests")
        return
    known = sorted(reading.frame["component"].unique())
    rates = reading.frame.assign(rate=reading.frame["request_count"] / data.step_s(minutes))
    columns = pd.DataFrame(rates[["bucket_at", "component", "rate"]])
    drawing.time_chart(
        charts.fold_series(columns, "component", "rate"), "rate", "component", "/s", shown,
        key="overview-requests", step_s=data.step_s(minutes), known=known,
    )  # fmt: skip


def _components() -> None:
    reading = source.live("components")
    panels.heading("Components")
    if states.problem(reading):
        return
    if reading.frame.empty:
        states.empty("components")
        return
    ranked_table(
        component_table(reading.frame, address.now()),
        _COLUMNS,
        key="components",
        caption="Components, by state",
        link=lambda row: address.view().link("performance", component=row["component"]),
    )


def component_table(components: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """The columns people see: state as symbol and word with its reason, age instead of a time."""
    reasons = components["state_reason"].fillna("")
    states_told = [
        (state, f"{state}: {reason}" if reason else state)
        for state, reason in zip(components["state"], reasons, strict=True)
    ]
    seen = [
        "never" if pd.isna(at) else _ago(formats.seconds_since(at.to_pydatetime(), now))
        for at in components["last_seen_at"]
    ]
    return pd.DataFrame(
        {
            "component": components["component"],
            "state": states_told,
            "version": components["version"],
            "request_per_s": components["request_per_s"].astype(float),
            "error_pct": components["error_pct"].astype(float),
            "p95_ms": components["p95_ms"].astype(float),
            "requests_by_minute": components["requests_by_minute"],
            "seen": seen,
        }
    )


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return "now" if seconds < 15 else f"{formats.age(seconds)} ago"


main()
