"""Bars: counts over time by kind, and names by what they cost. Not here: bars inside tables."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from dagster_project.reporting.charts.axes import time_axis, value_axis
from dagster_project.reporting.charts.clock import Clock
from dagster_project.reporting.charts.look import Look, colour_scale, finished, legend


def bars_over_time(
    frame: pd.DataFrame,
    *,
    value: str,
    series: str,
    unit: str,
    look: Look,
    clock: Clock,
    step_s: int,
    known: Sequence[str] = (),
    colours: Sequence[str] = (),
    height: int = 160,
    is_live: bool = False,
) -> alt.LayerChart:
    """Stacked counts of `value` in buckets of `step_s` from `bucket_at` on, by `series`.

    `colours` replaces those of `known`, name by name, where a name has a meaning, as severities do.
    """
    names = list(known) if colours else sorted(frame[series].unique())
    scale = colour_scale(names, known or names, look)
    if colours:
        scale = alt.Scale(domain=names, range=list(colours))
    times = pd.Series(pd.to_datetime(frame["bucket_at"], utc=True))
    at = clock.drawn(times)
    end = at + pd.Timedelta(seconds=step_s)
    rows = _stacked(frame.assign(at=at, end=end, when=clock.words(times)), series, value, names)
    edges = _drawn_edges(clock)
    x = time_axis("at", clock.label, look)
    bars = (
        alt.Chart(rows)
        .mark_bar(binSpacing=1)
        .encode(
            x=x,
            x2="end:T",
            y=value_axis("low", look, unit=unit),
            y2="high:Q",
            color=alt.Color(
                f"{series}:N", scale=scale, legend=legend(names, look, symbol="square")
            ),
            tooltip=[
                alt.Tooltip("when:N", title="time"),
                alt.Tooltip(f"{series}:N", title=series.replace("_", " ")),
                alt.Tooltip(f"{value}:Q", title=unit, format=","),
            ],
        )
    )
    if is_live:
        bars = bars.add_params(
            alt.selection_interval(
                name="range",
                encodings=["x"],
                mark=alt.BrushConfig(fill=look.accent, fillOpacity=0.15),
            )
        )
    around = alt.Chart(edges).mark_point(opacity=0).encode(x=x)
    return finished(alt.layer(around, bars), look, height)


def _stacked(rows: pd.DataFrame, series: str, value: str, names: Sequence[str]) -> pd.DataFrame:
    """`low` and `high` of each bar: Vega stacks no bars that have a width in time."""
    order = {name: place for place, name in enumerate(names)}
    placed = rows.drop(columns="bucket_at").assign(place=[order[name] for name in rows[series]])
    placed = placed.sort_values(["at", "place"])
    high = placed.groupby("at")[value].cumsum()
    return placed.assign(high=high, low=high - placed[value])


def _drawn_edges(clock: Clock) -> pd.DataFrame:
    ends = pd.Series(pd.to_datetime([clock.start_at, clock.end_at], utc=True))
    return pd.DataFrame({"at": clock.drawn(ends)})


def ranked_bars(
    frame: pd.DataFrame, *, name: str, value: str, unit: str, look: Look, most: int = 10
) -> alt.LayerChart:
    """The largest values of `value` by `name`, the largest first, each with its number."""
    top = pd.DataFrame(frame.nlargest(most, value))
    base = alt.Chart(top).encode(
        x=alt.X(f"{value}:Q", axis=None, scale=alt.Scale(zero=True)),
        y=alt.Y(
            f"{name}:N",
            sort="-x",
            axis=alt.Axis(
                title=None, labelColor=look.text, ticks=False, domain=False, labelLimit=180
            ),
        ),
        tooltip=[f"{name}:N", alt.Tooltip(f"{value}:Q", title=unit, format=",.4~r")],
    )
    bars = base.mark_bar(color=look.series[0], height={"band": 0.6})
    numbers = base.mark_text(align="left", dx=4, color=look.quiet, fontSize=12).encode(
        text=alt.Text(f"{value}:Q", format=",.3~s")
    )
    chart = finished(alt.layer(bars, numbers), look, max(40, 26 * len(top)))
    return chart.properties(padding={"left": 2, "top": 2, "bottom": 2, "right": 44})
