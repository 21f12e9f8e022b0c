"""Panels that more than one page shows: a heading with its tools, and latency over time.

Here: a reading to a chart with its states. Not here: charts (`drawing`), readings.
"""

from typing import Protocol

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from streamlit_app.components import drawing, markup, states
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.header.saved_menu import marks
from streamlit_app.view import View

_QUANTILES = {"p50_ms": "p50", "p95_ms": "p95", "p99_ms": "p99"}


class Read(Protocol):
    """A frame, or why there is none."""

    @property
    def frame(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def problem(self) -> str | None: ...  # noqa: D102


def heading(title: str) -> DeltaGenerator:
    """A heading, and the place beside it for export and drawer."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    row.html(f'<h2 class="tta-heading">{markup.text(title)}</h2>')
    return row


def latency_lines(
    reading: Read,
    view: View,
    step_s: int,
    *,
    key: str,
    title: str = "Latency, ms",
    height: int = 190,
) -> None:
    """p50, p95 and p99 (columns p50_ms, p95_ms, p99_ms by bucket_at) over time, or why there are none."""
    tools = heading(title)
    if states.problem(reading):
        return
    if reading.frame.empty:
        states.empty("requests")
        return
    long = reading.frame.melt("bucket_at", list(_QUANTILES), "quantile", "ms").replace(_QUANTILES)
    drawn = drawing.time_chart(
        long, "ms", "quantile", "ms", view, key=key, step_s=step_s, known=list(_QUANTILES.values()),
        height=height, marks=marks(view),
    )  # fmt: skip
    with tools:
        export_menu(key, reading.frame, view, chart=drawn)
