"""Charts on a page: what a chart looks like is described once, then only its data travel.

Here: from a frame to what the browser draws. Not here: how charts look (`dagster_project/reporting/charts`).
Altair takes 150 ms of processor time to describe a chart; pages draw theirs every few seconds.
"""

import json
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from dagster_project.reporting.charts import DARK, LIGHT, Look

_DESCRIBED = 200
_A_MOMENT = pd.Timestamp("2026-01-01", tz="UTC")


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
    names = tuple(sorted(frame[series].unique()))
    description = _lines(
        names=names,
        known=tuple(known or names),
        value=value,
        series=series,
        unit=unit,
        look=look(),
        height=height,
    )
    _draw(frame, description)


def latency_heat_map(bands: pd.DataFrame) -> None:
    """Draw `charts.latency_heat_map`."""
    _draw(bands, _heat_map(look()))


def _draw(frame: pd.DataFrame, description: str) -> None:
    st.vega_lite_chart(frame, json.loads(description), width="stretch", theme=None)


@lru_cache(_DESCRIBED)
def _lines(*, names: tuple[str, ...], value: str, series: str, **choices: Any) -> str:
    sample = pd.DataFrame({series: names}).assign(**{"bucket_at": _A_MOMENT, value: 0.0})
    return _without_data(charts.lines_over_time(sample, value=value, series=series, **choices))


@lru_cache(_DESCRIBED)
def _heat_map(look: Look) -> str:
    sample = pd.DataFrame(
        {"bucket_at": [_A_MOMENT], "bucket_end_at": [_A_MOMENT], "low_ms": [1.0], "high_ms": [2.0]}
    )
    return _without_data(charts.latency_heat_map(sample.assign(requests=1), look=look))


def _without_data(chart: alt.LayerChart) -> str:
    described = chart.to_dict()
    kept = {key: part for key, part in described.items() if key not in {"data", "datasets"}}
    return json.dumps(kept)
