"""Points and small lines: trade-offs between two figures, and a line without axes."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from dagster_project.reporting.charts.axes import value_axis
from dagster_project.reporting.charts.look import Look, colour_scale, finished


def scatter(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    name: str,
    titles: tuple[str, str],
    look: Look,
    known: Sequence[str] = (),
    height: int = 240,
) -> alt.LayerChart:
    """Points of `x` against `y`, each with its name; those that nothing beats in both are joined.

    Less is better in both; a column `is_best` is made for it.
    """
    rows = frame.assign(is_best=_best(frame, x, y))
    names = sorted(rows[name].unique())
    across = alt.X(
        f"{x}:Q",
        scale=alt.Scale(zero=True, nice=True),
        axis=alt.Axis(
            title=titles[0], titleColor=look.quiet, labelColor=look.quiet, grid=False, tickCount=5,
            domainColor=look.grid, tickColor=look.grid, titleFontWeight="normal",
        ),
    )  # fmt: skip
    up = value_axis(y, look).title(titles[1])
    base = alt.Chart(rows).encode(
        x=across,
        y=up,
        tooltip=[
            f"{name}:N",
            alt.Tooltip(f"{x}:Q", title=titles[0], format=",.4~r"),
            alt.Tooltip(f"{y}:Q", title=titles[1], format=",.4~r"),
        ],
    )
    colour = alt.Color(f"{name}:N", scale=colour_scale(names, known or names, look), legend=None)
    best = (
        alt.Chart(rows)
        .transform_filter("datum.is_best")
        .mark_line(color=look.quiet, strokeDash=[3, 3], strokeWidth=1.2)
        .encode(x=across, y=up)
    )
    points = base.mark_point(filled=True, size=90, opacity=1).encode(color=colour)
    words = base.mark_text(align="left", dx=8, color=look.text, fontSize=12).encode(
        text=f"{name}:N"
    )
    return finished(alt.layer(best, points, words), look, height)


def _best(frame: pd.DataFrame, x: str, y: str) -> list[bool]:
    pairs = list(zip(frame[x], frame[y], strict=True))
    is_measured = list(frame[x].notna() & frame[y].notna())
    return [
        bool(known) and not any(a <= c and b <= d and (a < c or b < d) for a, b in pairs)
        for (c, d), known in zip(pairs, is_measured, strict=True)
    ]


def sparkline(values: Sequence[float | None], *, look: Look, height: int = 28) -> alt.LayerChart:
    """A line without axes; what nobody measured is a gap."""
    rows = pd.DataFrame({"place": range(len(values)), "value": pd.Series(values, dtype=float)})
    line = (
        alt.Chart(rows)
        .mark_line(strokeWidth=1.4, color=look.accent)
        .encode(
            x=alt.X("place:Q", axis=None),
            y=alt.Y("value:Q", axis=None, scale=alt.Scale(zero=True)),
        )
    )
    return finished(alt.layer(line), look, height)
