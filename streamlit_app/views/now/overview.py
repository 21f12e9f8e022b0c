"""Overview: is everything all right, in one screen."""

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from streamlit_app.components import address, drawing, formats, frame, panels, states
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.header.saved_menu import marks
from streamlit_app.components.markup import State
from streamlit_app.components.overview import first_run, verdict
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.components.summary_figures import (
    AI_CALLS,
    ERRORS,
    P95,
    REQUESTS,
    TOKENS_OUT,
    SummaryFigure,
)
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import ai_models, ranges, requests, source
from streamlit_app.readings.arriving import beginnings
from streamlit_app.view import View

_HELP = """
Whether everything is all right: rates against the period before, requests and latency over time, and every
component with its state. Drag over a chart to zoom, follow a figure or a component to what it is made of.
"""
_HEIGHT, _MANY_PCT = 150, 5.0


# A figure, and the page that it leads to.
_FIGURES = (
    (REQUESTS, "performance"), (ERRORS, "errors"), (P95, "performance"), (AI_CALLS, "ai_models"),
    (TOKENS_OUT, "ai_models"),
)  # fmt: skip
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
    shown = frame.page(
        "overview",
        "Overview",
        filters=("component", "environment", "version"),
        known=_known,
        help=_HELP,
    )
    frame.live(_live_part, shown)


def _known(shown: View) -> dict[str, list[str]]:
    rows = source.live("releases").frame
    names = ("component", "environment", "version")
    return {n: sorted({v for v in rows[n] if v}) for n in names} if len(rows) else {}


def _live_part(shown: View) -> None:
    found = beginnings.beginnings()
    if found.is_empty:
        first_run.first_run(found, source.settings())
        return
    components, alerts = source.live("components"), (source.alerts() or {"alerts": []})["alerts"]
    summary, latency = requests.summary(shown), requests.latency(shown)
    row = summary.frame.iloc[0].to_dict() if len(summary.frame) else {}
    if not components.problem:
        verdict.draw(verdict.judge(components.frame, alerts, row), alerts, shown)
    _tiles(row, latency.frame, alerts, shown)
    left, right = st.columns(2)
    with left, st.container(border=True):
        _requests_chart(shown)
    with right, st.container(border=True):
        panels.latency_lines(
            latency, shown, ranges.step_s(shown), key="overview-latency", height=_HEIGHT
        )
    with st.container(border=True):
        _components(components, shown)


def _tiles(
    row: dict[str, float | None], latency: pd.DataFrame, alerts: list[dict[str, Any]], shown: View
) -> None:
    calls, step = ai_models.over_time(shown).frame, ranges.step_s(shown)
    lines: dict[str, list[float]] = {}
    if len(latency):
        lines["request_per_s"] = list(latency["request_count"] / step)
        lines["error_pct"] = list(100 * latency["error_count"] / latency["request_count"])
        lines["p95_ms"] = latency["p95_ms"].tolist()
    if len(calls):
        summed = pd.DataFrame(calls.groupby("bucket_at")[["call_count", "output_tokens"]].sum())
        lines["ai_calls_per_min"] = list(summed["call_count"] * 60 / step)
        lines["output_tokens_per_s"] = list(summed["output_tokens"] / step)
    figures = [
        figure.tile(
            row, shown.link(page), state=_state(figure, row), spark=lines.get(figure.name, ())
        )
        for figure, page in _FIGURES
    ]
    tiles([*figures, _alerts_tile(alerts, shown)])


def _state(figure: SummaryFigure, row: dict[str, float | None]) -> State | None:
    value = row.get(figure.name)
    is_high = figure is ERRORS and formats.is_measured(value) and float(value or 0) >= _MANY_PCT
    return "warning" if is_high else None


def _alerts_tile(alerts: list[dict[str, Any]], shown: View) -> Tile:
    firing = [a for a in alerts if a["state"] in {"firing", "acknowledged"} and not a["muted_by"]]
    worst = next((s for s in ("critical", "warning") if s in {a["severity"] for a in firing}), None)
    waiting = sum(a["state"] == "firing" for a in firing)
    return Tile(
        "Alerts firing",
        f"{len(firing)}",
        state="critical" if worst == "critical" else "warning" if worst else None,
        link=shown.link("alerts"),
        note=f"{waiting} not acknowledged" if firing else "nobody was told of anything",
    )


def _requests_chart(shown: View) -> None:
    reading, step = requests.by_component(shown), ranges.step_s(shown)
    with panels.heading("Requests per second"):
        export_menu("overview-requests", reading.frame, shown)
    if states.problem(reading):
        return
    if reading.frame.empty:
        states.empty("requests")
        return
    known = sorted(reading.frame["component"].unique())
    rates = reading.frame.assign(rate=reading.frame["request_count"] / step)
    columns = pd.DataFrame(rates[["bucket_at", "component", "rate"]])
    drawing.time_chart(
        charts.fold_series(columns, "component", "rate"), "rate", "component", "/s", shown,
        key="overview-requests", step_s=step, known=known, marks=marks(shown), height=_HEIGHT,
    )  # fmt: skip


def _components(reading: source.Reading, shown: View) -> None:
    with panels.heading("Components, worst first"):
        export_menu("components", _exported(reading.frame), shown)
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
        link=lambda row: shown.link("performance", component=row["component"]),
        most=9,
    )


def _exported(components: pd.DataFrame) -> pd.DataFrame:
    """Without the line of the last hour: a cell of a file holds one value."""
    return components.drop(columns="requests_by_minute", errors="ignore")


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
