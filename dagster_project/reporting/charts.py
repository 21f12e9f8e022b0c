"""Altair charts in the product's look: data frame in, chart out, no Streamlit.

Rules: lines 1.8 px without markers, horizontal grid only, zero-based, 24 h time
axis, at most six series and the rest as "other", a component keeps its colour everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

MAX_SERIES = 6
OTHER = "other"


@dataclass(frozen=True)
class Look:
    """Colours of one theme."""

    text: str
    quiet: str
    grid: str
    critical: str
    background: str
    heat: tuple[str, str]
    series: tuple[str, ...]


LIGHT = Look(
    "#16222B", "#55636E", "#DCE4E8", "#B3261E", "#FFFFFF", ("#E3F1F6", "#0F6E84"),
    ("#1E9ECE", "#DB7A1A", "#7E1BD6", "#849760", "#750E25", "#0C1C5E"),
)  # fmt: skip
DARK = Look(
    "#E6EDF2", "#B7C4CE", "#2B3944", "#FF8A80", "#10171D", ("#17303A", "#72F5FA"),
    ("#72F5FA", "#B28A44", "#9B5FFA", "#C2FA5F", "#FA6D94", "#406DA9"),
)  # fmt: skip


def colour_scale(names: Sequence[str], known: Sequence[str], look: Look) -> alt.Scale:
    """Colours by name: a name's colour is its place among all known names, so it never changes."""
    order = {name: place for place, name in enumerate(sorted(known))}
    colours = [
        look.quiet if n == OTHER else look.series[order.get(n, len(order)) % MAX_SERIES]
        for n in names
    ]
    return alt.Scale(domain=list(names), range=colours)


def fold_series(frame: pd.DataFrame, series: str, value: str) -> pd.DataFrame:
    """Keep the six largest series by total; sum the rest as "other"."""
    totals = pd.Series(frame.groupby(series)[value].sum()).sort_values(ascending=False)
    if len(totals) <= MAX_SERIES:
        return frame
    kept = list(totals.index[: MAX_SERIES - 1])
    folded = frame.assign(**{series: frame[series].where(frame[series].isin(kept), OTHER)})
    keys = [c for c in folded.columns if c != value and c in {series, "bucket_at"}]
    return pd.DataFrame(folded.groupby(keys, as_index=False)[value].sum())


def with_gaps(frame: pd.DataFrame, *, series: str, step_s: int) -> pd.DataFrame:
    """One row without values after the last bucket before a hole, so that lines break there.

    A line drawn over missing buckets would claim values that nobody measured.
    """
    step = pd.Timedelta(seconds=step_s)
    keys = [series, "bucket_at"]
    buckets = pd.DataFrame(frame[keys]).drop_duplicates().sort_values(keys)
    following = buckets.groupby(series)["bucket_at"].shift(-1)
    holes = buckets[following - buckets["bucket_at"] > step]
    if holes.empty:
        return frame
    ends = holes.assign(bucket_at=holes["bucket_at"] + step)
    return pd.concat([frame, ends]).sort_values(keys)


def lines_over_time(
    frame: pd.DataFrame,
    *,
    value: str,
    series: str,
    unit: str,
    look: Look,
    known: Sequence[str] = (),
    height: int = 190,
) -> alt.LayerChart:
    """Lines of `value` over `bucket_at` by `series`; rows without a value are gaps."""
    names = sorted(frame[series].unique()) if len(frame) else []
    hover = alt.selection_point(fields=["bucket_at"], nearest=True, on="pointerover", empty=False)
    base = alt.Chart(frame).encode(x=_time_axis(look))
    colour = alt.Color(
        f"{series}:N",
        scale=colour_scale(names, known or names, look),
        legend=alt.Legend(
            orient="top",
            title=None,
            symbolType="stroke",
            symbolStrokeWidth=3,
            labelColor=look.quiet,
            labelLimit=200,
            columns=2,
        ),
    )
    line = base.mark_line(strokeWidth=1.8, interpolate="linear").encode(
        y=_value_axis(value, look), color=colour
    )
    points = (
        base.mark_point(size=36, filled=True)
        .encode(
            y=alt.Y(f"{value}:Q"),
            color=colour,
            opacity=alt.when(hover).then(alt.value(1)).otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("bucket_at:T", title="time", format="%d %b %H:%M:%S"),
                alt.Tooltip(f"{series}:N", title=series.replace("_", " ")),
                alt.Tooltip(f"{value}:Q", title=unit, format=",.4~r"),
            ],
        )
        .add_params(hover)
    )
    return _finished(alt.layer(line, points), look, height)


def latency_heat_map(frame: pd.DataFrame, *, look: Look, height: int = 220) -> alt.LayerChart:
    """Requests by time and latency: columns bucket_at, bucket_end_at, low_ms, high_ms, requests."""
    heat = (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            x=_time_axis(look),
            x2="bucket_end_at:T",
            y=alt.Y(
                "low_ms:Q",
                scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(
                    title=None,
                    grid=False,
                    labelColor=look.quiet,
                    ticks=False,
                    domain=False,
                    format="~s",
                    labelExpr="datum.value >= 1000 ? datum.value/1000 + ' s' : datum.value + ' ms'",
                ),
            ),
            y2="high_ms:Q",
            color=alt.Color(
                "requests:Q",
                scale=alt.Scale(range=list(look.heat), type="sqrt"),
                legend=alt.Legend(
                    title="requests",
                    orient="right",
                    titleColor=look.quiet,
                    labelColor=look.quiet,
                    gradientLength=height - 60,
                ),
            ),
            tooltip=[
                alt.Tooltip("bucket_at:T", title="time", format="%d %b %H:%M"),
                alt.Tooltip("low_ms:Q", title="from ms", format=",.3~g"),
                alt.Tooltip("high_ms:Q", title="to ms", format=",.3~g"),
                alt.Tooltip("requests:Q", format=","),
            ],
        )
    )
    return _finished(alt.layer(heat), look, height)


def _time_axis(look: Look) -> alt.X:
    return alt.X(
        "bucket_at:T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(
            title=None, format="%H:%M", grid=False, labelColor=look.quiet, domainColor=look.grid,
            tickColor=look.grid, labelOverlap=True, tickCount=6,
        ),
    )  # fmt: skip


def _value_axis(value: str, look: Look) -> alt.Y:
    return alt.Y(
        f"{value}:Q",
        scale=alt.Scale(zero=True, nice=True),
        axis=alt.Axis(
            title=None, gridColor=look.grid, labelColor=look.quiet, ticks=False, domain=False,
            tickCount=4, format=",~f",
        ),
    )  # fmt: skip


def _finished(chart: alt.LayerChart | alt.FacetChart, look: Look, height: int) -> Any:
    return (
        chart.properties(height=height, width="container")
        .configure(background="transparent", font="Inter, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=12, labelFont="Inter, sans-serif")
        .configure_legend(labelFontSize=12, labelFont="Inter, sans-serif")
    )
