"""Overview: is everything all right, in one screen."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from streamlit_app.components import drawing, formats, frame, tables
from streamlit_app.readings import performance as data
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

_SYMBOLS = {"ok": "●", "degraded": "▲", "down": "✖", "unknown": "○"}


def main() -> None:
    """Draw the page."""
    permission.page("overview")
    minutes = frame.title_row("Overview")
    st.fragment(_live_part, run_every=frame.refresh_s())(minutes)


def _live_part(minutes: int) -> None:
    frame.data_age()
    latency = data.latency(minutes, None)
    _cards(minutes, latency.frame)
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown("**Requests per second**")
        _requests_chart(minutes)
    with right, st.container(border=True):
        st.markdown("**Latency, ms**")
        frame.latency_lines(latency, minutes)
    with st.container(border=True):
        _components()


def _cards(minutes: int, latency: pd.DataFrame) -> None:
    row = data.summary(minutes)
    calls = data.ai_calls(minutes)
    step = data.step_s(minutes)
    series: dict[str, list[float]] = {
        "requests": [],
        "errors": [],
        "p95": [],
        "ai": [],
        "tokens": [],
    }
    if len(latency):
        series["requests"] = list(latency["request_count"] / step)
        series["errors"] = list(100 * latency["error_count"] / latency["request_count"])
        series["p95"] = latency["p95_ms"].tolist()
    if len(calls.frame):
        series["ai"] = list(calls.frame["call_count"])
        series["tokens"] = list(calls.frame["output_tokens"])
    cards = [
        ("Requests", "request_per_s", lambda v: formats.number(v, "/s"), "requests", "off"),
        ("Errors", "error_pct", formats.percent, "errors", "inverse"),
        ("p95 latency", "p95_ms", formats.duration_ms, "p95", "inverse"),
        ("AI calls", "ai_calls_per_min", lambda v: formats.number(v, "/min"), "ai", "off"),
        ("Tokens out", "output_tokens_per_s", lambda v: formats.number(v, "/s"), "tokens", "off"),
    ]
    for column, (label, name, form, key, colour) in zip(st.columns(5), cards, strict=True):
        value, delta = form(row.get(name)), _delta(row, name, as_points=name == "error_pct")
        missing = "Nothing was measured in this range." if value == formats.NOT_MEASURED else None
        column.metric(
            label,
            value,
            delta,
            delta_color=colour,  # type: ignore[arg-type]
            border=True,
            help=missing,
            chart_data=series[key] if len(series[key]) > 1 else None,
            chart_type="line",
        )


def _delta(row: dict[str, float | None], name: str, *, as_points: bool = False) -> str | None:
    return formats.change(row.get(name), row.get(f"previous_{name}"), as_points=as_points)


def _requests_chart(minutes: int) -> None:
    reading = data.requests(minutes, None)
    if frame.problem(reading):
        return
    if reading.frame.empty:
        frame.nothing_yet("requests")
        return
    known = sorted(reading.frame["component"].unique())
    rates = reading.frame.assign(rate=reading.frame["request_count"] / data.step_s(minutes))
    columns = pd.DataFrame(rates[["bucket_at", "component", "rate"]])
    folded = charts.fold_series(columns, "component", "rate")
    folded = charts.with_gaps(folded, series="component", step_s=data.step_s(minutes))
    drawing.lines_over_time(
        folded, value="rate", series="component", unit="requests /s", known=known
    )


def _components() -> None:
    st.markdown("**Components**")
    reading = source.live("components")
    if frame.problem(reading):
        return
    if reading.frame.empty:
        frame.nothing_yet("components")
        return
    shown = component_table(reading.frame, datetime.now(UTC))
    st.dataframe(
        tables.shown(shown),
        hide_index=True,
        placeholder=formats.NOT_MEASURED,
        width="stretch",
        column_config=tables.column_config(list(shown.columns)),
    )


def component_table(components: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """The columns people see: state as symbol and word, age instead of a time."""
    state = components["state"].replace(_SYMBOLS) + " " + components["state"]
    reason = components["state_reason"].fillna("").map(lambda r: f": {r}" if r else "")
    seen = [
        "never" if pd.isna(at) else _ago(formats.seconds_since(at.to_pydatetime(), now))
        for at in components["last_seen_at"]
    ]
    return pd.DataFrame(
        {
            "component": components["component"],
            "state": state + reason,
            "version": components["version"].fillna(formats.NOT_MEASURED),
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
