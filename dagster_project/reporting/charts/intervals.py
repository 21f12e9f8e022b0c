"""Values with their intervals by name, so that one sees which differ for certain.

Here: a dot for each value, a line for its interval, a quiet band for the interval of one that the others are
compared with. Not here: how intervals are computed (`ingestion/meaning/histograms`).
"""

import altair as alt
import pandas as pd

from dagster_project.reporting.charts.look import Look, finished

_ROW, _LEAST = 26, 60


def intervals(
    frame: pd.DataFrame,
    *,
    name: str,
    value: str,
    low: str,
    high: str,
    unit: str,
    look: Look,
    against: str | None = None,
) -> alt.LayerChart:
    """`value` by `name` in the order given, each from `low` to `high`; an end that is null is not drawn.

    `against` is the name whose interval lies as a band behind all others.
    """
    rows = frame.assign(
        low=frame[low].astype(float).fillna(frame[value]),
        high=frame[high].astype(float).fillna(frame[value]),
        is_against=frame[name] == against,
    )
    base = alt.Chart(rows)
    y = alt.Y(f"{name}:N", sort=None, axis=_names(look))
    x = alt.X("low:Q", scale=alt.Scale(zero=True), axis=_values(unit, look))
    colour = alt.when(alt.datum.is_against).then(alt.value(look.quiet))
    colour = colour.otherwise(alt.value(look.accent))
    told = [
        alt.Tooltip(f"{name}:N"),
        alt.Tooltip(f"{value}:Q", title=unit, format=",.4~r"),
        alt.Tooltip(f"{low}:Q", title="at least", format=",.4~r"),
        alt.Tooltip(f"{high}:Q", title="at most", format=",.4~r"),
    ]
    band = base.transform_filter("datum.is_against").mark_rect(color=look.grid, opacity=0.6)
    line = base.mark_rule(strokeWidth=2.5).encode(x=x, x2="high:Q", y=y, color=colour)
    dot = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X(f"{value}:Q"), y=y, color=colour, tooltip=told
    )
    layers = [band.encode(x=x, x2="high:Q"), line, dot]
    return finished(alt.layer(*layers), look, max(_LEAST, _ROW * len(rows)))


def _names(look: Look) -> alt.Axis:
    return alt.Axis(title=None, labelColor=look.text, ticks=False, domain=False, labelLimit=170)


def _values(unit: str, look: Look) -> alt.Axis:
    is_long = "datum.value >= 1000 ? format(datum.value / 1000, ',~f') + ' s'"
    label = f"{is_long} : format(datum.value, ',~f') + ' ms'" if unit == "ms" else "datum.label"
    return alt.Axis(
        title=None, labelColor=look.quiet, gridColor=look.grid, domain=False, ticks=False,
        tickCount=5, labelExpr=label,
    )  # fmt: skip
