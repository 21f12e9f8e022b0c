"""Distributions over time as heat maps. Here: latency by time. Not here: which quantiles are read."""

import math

import altair as alt
import pandas as pd

from dagster_project.reporting.charts.axes import time_axis
from dagster_project.reporting.charts.clock import Clock
from dagster_project.reporting.charts.look import Look, finished

_BANDS_PER_DECADE = 6


def heat_bands(frame: pd.DataFrame, step_s: int, clock: Clock) -> pd.DataFrame:
    """Fine log buckets (bucket_at, latency_ms, request_count) as a few bands per decade.

    at and end (as drawn), when (words), low_ms, high_ms, requests.
    """
    band = frame["latency_ms"].map(lambda ms: math.floor(math.log10(ms) * _BANDS_PER_DECADE))
    banded = frame.assign(band=band, requests=frame["request_count"])
    by_band = banded.groupby(["bucket_at", "band"], as_index=False)
    grouped = pd.DataFrame(by_band["requests"].sum())
    times = pd.Series(pd.to_datetime(grouped["bucket_at"], utc=True))
    at = clock.drawn(times)
    return grouped.drop(columns="bucket_at").assign(
        at=at,
        end=at + pd.Timedelta(seconds=step_s),
        when=clock.words(times),
        low_ms=10 ** (grouped["band"] / _BANDS_PER_DECADE),
        high_ms=10 ** ((grouped["band"] + 1) / _BANDS_PER_DECADE),
    )


def heat_map(
    bands: pd.DataFrame,
    *,
    look: Look,
    label: str,
    height: int = 220,
    what: str = "requests",
    is_live: bool = False,
) -> alt.LayerChart:
    """Counts by time and latency, of `heat_bands`; with `is_live` a click gives the selection `cell`.

    `label` is the text of a tick (`Clock.label`).
    """
    axis = alt.Axis(
        title=None, grid=False, labelColor=look.quiet, ticks=False, domain=False, minExtent=28,
        labelExpr="datum.value >= 1000 ? datum.value / 1000 + ' s' : datum.value + ' ms'",
        values=[1, 10, 100, 1_000, 10_000, 100_000],
    )  # fmt: skip
    heat = (
        alt.Chart(bands)
        .mark_rect()
        .encode(
            x=time_axis("at", label, look),
            x2="end:T",
            y=alt.Y("low_ms:Q", scale=alt.Scale(type="log", nice=False), axis=axis),
            y2="high_ms:Q",
            color=alt.Color(
                "requests:Q",
                scale=alt.Scale(range=list(look.heat), type="sqrt"),
                legend=alt.Legend(
                    title=what, orient="top", direction="horizontal", titleColor=look.quiet,
                    labelColor=look.quiet, gradientLength=120, gradientThickness=8, tickCount=3,
                    titleOrient="left", titleFontWeight="normal", titleFontSize=12,
                ),
            ),
            tooltip=[
                alt.Tooltip("when:N", title="time"),
                alt.Tooltip("low_ms:Q", title="from, ms", format=",.3~g"),
                alt.Tooltip("high_ms:Q", title="to, ms", format=",.3~g"),
                alt.Tooltip("requests:Q", title=what, format=","),
            ],
        )
    )  # fmt: skip
    if is_live:
        heat = heat.add_params(
            alt.selection_point(name="cell", fields=["at", "low_ms", "high_ms"], on="click")
        )
    return finished(alt.layer(heat), look, height)
