"""Charts in the product's look, as Vega-Lite describes them without their data; no Streamlit.

Plain dictionaries, because a library that builds them takes 25 MB of a process that draws two charts.
Rules (docs: README, Look): lines 1.8 px without markers, horizontal grid only, zero-based, 24 h time
axis, at most six series and the rest as "other", a component keeps its colour everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

MAX_SERIES = 6
OTHER = "other"
_HOVER, _POINTS = "hovered", "points"
Spec = dict[str, Any]


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


def colour_scale(names: Sequence[str], known: Sequence[str], look: Look) -> Spec:
    """Colours by name: a name's colour is its place among all known names, so it never changes."""
    order = {name: place for place, name in enumerate(sorted(known))}
    colours = [
        look.quiet if n == OTHER else look.series[order.get(n, len(order)) % MAX_SERIES]
        for n in names
    ]
    return {"domain": list(names), "range": colours}


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
    names: Sequence[str],
    *,
    value: str,
    series: str,
    unit: str,
    look: Look,
    known: Sequence[str] = (),
    height: int = 190,
) -> Spec:
    """Lines of `value` over `bucket_at` by `series`, one a name; rows without a value are gaps."""
    colour = {
        "field": series,
        "type": "nominal",
        "scale": colour_scale(names, known or names, look),
        "legend": {
            "orient": "top",
            "title": None,
            "symbolType": "stroke",
            "symbolStrokeWidth": 3,
            "labelColor": look.quiet,
            "labelLimit": 200,
            "columns": 2,
        },
    }
    line = {
        "mark": {"type": "line", "interpolate": "linear", "strokeWidth": 1.8},
        "encoding": {"color": colour, "x": _time_axis(look), "y": _value_axis(value, look)},
    }
    points = {
        "name": _POINTS,
        "mark": {"type": "point", "filled": True, "size": 36},
        "encoding": {
            "color": colour,
            "x": _time_axis(look),
            "y": _field(value, "quantitative"),
            "opacity": {"condition": [{"param": _HOVER, "value": 1, "empty": False}], "value": 0},
            "tooltip": [
                _field("bucket_at", "temporal", title="time", format="%d %b %H:%M:%S"),
                _field(series, "nominal", title=series.replace("_", " ")),
                _field(value, "quantitative", title=unit, format=",.4~r"),
            ],
        },
    }
    nearest = {"type": "point", "fields": ["bucket_at"], "nearest": True, "on": "pointerover"}
    hover = {"name": _HOVER, "select": nearest, "views": [_POINTS]}
    return _finished([line, points], height) | {"params": [hover]}


def latency_heat_map(*, look: Look, height: int = 220) -> Spec:
    """Requests by time and latency: columns bucket_at, bucket_end_at, low_ms, high_ms, requests."""
    latency = _field("low_ms", "quantitative", scale={"type": "log", "nice": False})
    latency["axis"] = {
        "title": None,
        "grid": False,
        "labelColor": look.quiet,
        "ticks": False,
        "domain": False,
        "format": "~s",
        "labelExpr": "datum.value >= 1000 ? datum.value/1000 + ' s' : datum.value + ' ms'",
    }
    colour = _field("requests", "quantitative", scale={"range": list(look.heat), "type": "sqrt"})
    colour["legend"] = {
        "title": "requests",
        "orient": "right",
        "titleColor": look.quiet,
        "labelColor": look.quiet,
        "gradientLength": height - 60,
    }
    heat = {
        "mark": {"type": "rect"},
        "encoding": {
            "x": _time_axis(look),
            "x2": {"field": "bucket_end_at"},
            "y": latency,
            "y2": {"field": "high_ms"},
            "color": colour,
            "tooltip": [
                _field("bucket_at", "temporal", title="time", format="%d %b %H:%M"),
                _field("low_ms", "quantitative", title="from ms", format=",.3~g"),
                _field("high_ms", "quantitative", title="to ms", format=",.3~g"),
                _field("requests", "quantitative", format=","),
            ],
        },
    }
    return _finished([heat], height)


def _field(name: str, kind: str, **more: Any) -> Spec:
    return {"field": name, "type": kind, **more}


def _time_axis(look: Look) -> Spec:
    axis = {
        "title": None, "format": "%H:%M", "grid": False, "labelColor": look.quiet,
        "domainColor": look.grid, "tickColor": look.grid, "labelOverlap": True, "tickCount": 6,
    }  # fmt: skip
    return _field("bucket_at", "temporal", scale={"type": "utc"}, axis=axis)


def _value_axis(value: str, look: Look) -> Spec:
    axis = {
        "title": None, "gridColor": look.grid, "labelColor": look.quiet, "ticks": False,
        "domain": False, "tickCount": 4, "format": ",~f",
    }  # fmt: skip
    return _field(value, "quantitative", scale={"zero": True, "nice": True}, axis=axis)


def _finished(layers: list[Spec], height: int) -> Spec:
    text = {"labelFontSize": 12, "labelFont": "Inter, sans-serif"}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.4.1.json",
        "config": {
            "background": "transparent",
            "font": "Inter, sans-serif",
            "view": {"continuousWidth": 300, "continuousHeight": 300, "stroke": None},
            "axis": text,
            "legend": text,
        },
        "layer": layers,
        "height": height,
        "width": "container",
    }
