"""Axes that every chart shares. Here: time, values, names. Not here: marks and colours of series."""

import altair as alt

from dagster_project.reporting.charts.look import Look


def time_axis(field: str, label: str, look: Look) -> alt.X:
    """Time along x, 24 h, in the zone of a `Clock`, whose `label` it takes; the field holds drawn times."""
    axis = alt.Axis(
        title=None, labelExpr=label, grid=False, labelColor=look.quiet, domainColor=look.grid,
        tickColor=look.grid, labelOverlap=True, labelSeparation=6, tickCount=6, labelFlush=True,
    )  # fmt: skip
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc", nice=False), axis=axis)


def value_axis(field: str, look: Look, *, unit: str = "", is_zero_based: bool = True) -> alt.Y:
    """Values along y with a quiet grid; bytes and the like shortened to k, M, G."""
    axis = alt.Axis(
        title=None, gridColor=look.grid, labelColor=look.quiet, ticks=False, domain=False,
        tickCount=4, labelExpr=_label(unit), minExtent=28,
    )  # fmt: skip
    scale = alt.Scale(zero=is_zero_based, nice=True)
    return alt.Y(f"{field}:Q", scale=scale, axis=axis)


def _label(unit: str) -> str:
    if unit == "ms":
        return "datum.value >= 1000 ? format(datum.value / 1000, ',~f') + ' s' : format(datum.value, ',~f')"
    short = "replace(format(datum.value, '~s'), 'G', ' G')"
    return f"datum.value >= 10000 ? {short} : format(datum.value, ',~f')"
