"""Charts on a page: what a chart looks like is described apart, and its data travel as Arrow.

Here: from a frame to what the browser draws. Not here: how charts look (`dagster_project/reporting/charts`).
"""

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from dagster_project.reporting.charts import DARK, LIGHT, Look, Spec


def look() -> Look:
    """Colours of the theme in use."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def lines_over_time(
    frame: pd.DataFrame,
    *,
    value: str,
    series: str,
    unit: str,
    known: list[str] | None = None,
    height: int = 190,
) -> None:
    """Draw `charts.lines_over_time`."""
    names = sorted(frame[series].unique())
    _draw(
        frame,
        charts.lines_over_time(
            names, value=value, series=series, unit=unit, look=look(), known=known or names,
            height=height,
        ),
    )  # fmt: skip


def latency_heat_map(bands: pd.DataFrame) -> None:
    """Draw `charts.latency_heat_map`."""
    _draw(bands, charts.latency_heat_map(look=look()))


def _draw(frame: pd.DataFrame, spec: Spec) -> None:
    st.vega_lite_chart(frame, spec, width="stretch", theme=None)
