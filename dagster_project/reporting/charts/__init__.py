"""Charts in the product's look: data frame in, Altair chart out; page, PNG and PDF are one drawing.

Here: looks, axes, one module for each kind of chart. Not here: reading data, Streamlit, Dagster.
Rules: lines 1.8 px without markers, horizontal grid only, zero-based, 24 h time axis in the chosen
zone, at most six series and the rest as "other", a name keeps its colour everywhere. What moves with
the clock travels as data, so that a chart is described once.
"""

from dagster_project.reporting.charts.bars import bars_over_time, ranked_bars
from dagster_project.reporting.charts.clock import Clock
from dagster_project.reporting.charts.heat import heat_bands, heat_map
from dagster_project.reporting.charts.intervals import intervals
from dagster_project.reporting.charts.look import (
    DARK,
    LIGHT,
    MAX_SERIES,
    OTHER,
    Look,
    colour_scale,
)
from dagster_project.reporting.charts.points import scatter, sparkline
from dagster_project.reporting.charts.series import fold_series, keys_of, with_gaps
from dagster_project.reporting.charts.span_tree import span_rows, waterfall
from dagster_project.reporting.charts.time_chart import Kind, Mark, Threshold, described, time_chart
from dagster_project.reporting.charts.time_rows import time_rows

__all__ = [
    "DARK", "LIGHT", "MAX_SERIES", "OTHER", "Clock", "Kind", "Look", "Mark", "Threshold", "bars_over_time",
    "colour_scale", "described", "fold_series", "heat_bands", "heat_map", "intervals", "keys_of",
    "ranked_bars", "scatter", "span_rows", "sparkline", "time_chart", "time_rows", "waterfall", "with_gaps",
]  # fmt: skip
