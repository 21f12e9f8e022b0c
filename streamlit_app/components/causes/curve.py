"""The curve of an alert: what its rule measured around its start, with the threshold that it crossed.

Here: whether it says something, and drawing it. Not here: measuring (`live_tail/alerts/rules/curves`).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dagster_project.reporting.charts import Mark, Threshold
from streamlit_app.components import drawing, formats, markup
from streamlit_app.components.causes.explain import began_at
from streamlit_app.components.export_menu import export_menu
from streamlit_app.view import View

Shown = dict[str, Any]
_SHORT_UNITS = frozenset({"%", "ms", "/s", "bytes", "s"})


def curve_frame(curve: Mapping[str, Any]) -> pd.DataFrame:
    """bucket_at, series, value: the curve as a chart takes it."""
    at = pd.to_datetime([moment for moment, _ in curve["points"]], utc=True)
    values = [value for _, value in curve["points"]]
    return pd.DataFrame({"bucket_at": at, "series": curve["what"], "value": values}).astype(
        {"value": float}
    )


def says_something(curve: Mapping[str, Any] | None) -> bool:
    """Whether there is a line worth its place: it moves, or it stands beyond its threshold."""
    known = [value for _, value in (curve or {}).get("points", ()) if value is not None]
    if len(known) < 2:
        return False
    return len(set(known)) > 1 or (curve or {})["threshold"] is not None


def draw(
    alert: Shown, curve: Mapping[str, Any] | None, shown: View, *, place: str, height: int
) -> None:
    """The chart with its words; why there is none, where there is none."""
    if curve is None or not says_something(curve):
        st.html(f'<p class="tta-quiet">{_why_not(alert)}</p>')
        return
    rows = curve_frame(curve)
    key = f"curve-{place}-{alert['id']}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<p class="tta-quiet tta-what">{markup.text(words(alert, curve))}</p>')
        tools = st.container(width="content")
    drawn = drawing.time_chart(
        rows, "value", "series", _unit(curve), _around(rows, shown), key=key, step_s=curve["step_s"],
        thresholds=_thresholds(curve), marks=[Mark(began_at(alert), "began")], height=height,
    )  # fmt: skip
    with tools:
        export_menu(key, rows, shown, chart=drawn)


def words(alert: Shown, curve: Mapping[str, Any]) -> str:
    """What is drawn, and how it stands or stood: `p95 of requests in 2 min · now 2,410 ms`."""
    known = [value for _, value in curve["points"] if value is not None]
    if alert["state"] != "resolved":
        return f"{curve['what']} · now {formats.number(known[-1], _unit(curve))}"
    is_below = curve["symbol"] in {"<", "<="}
    worst, how = (min(known), "down to") if is_below else (max(known), "up to")
    return f"{curve['what']} · {how} {formats.number(worst, _unit(curve))}"


def _unit(curve: Mapping[str, Any]) -> str:
    return curve["unit"] if curve["unit"] in _SHORT_UNITS else ""


def _thresholds(curve: Mapping[str, Any]) -> list[Threshold]:
    value = curve["threshold"]
    if value is None:
        return []
    return [Threshold(value, f"alerts {curve['symbol']} {formats.number(value, _unit(curve))}")]


def _around(rows: pd.DataFrame, shown: View) -> View:
    """Only the curve's own range. It bears the page's label, so that the chart stays the same one while
    it moves."""
    first, last = (at.to_pydatetime() for at in (rows["bucket_at"].min(), rows["bucket_at"].max()))
    return View(first, last, shown.label or "1 h", zone=shown.zone)


def _why_not(alert: Shown) -> str:
    if alert.get("source") == "external":
        return "It came from outside: what was measured is known to its sender."
    is_over = alert["state"] == "resolved"
    return (
        "Its curve has left the live window."
        if is_over
        else "Nothing moved that could be drawn: the rule knows up and down only."
    )
