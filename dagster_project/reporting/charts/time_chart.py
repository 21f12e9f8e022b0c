"""Lines over time: the chart most pages are made of.

Here: how its rows are drawn, what a pointer does. Not here: the rows (`time_rows`). Dragging gives the
selection `range` (drawn milliseconds of `at`), a click gives `minute`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from dagster_project.reporting.charts.axes import time_axis, value_axis
from dagster_project.reporting.charts.clock import Clock
from dagster_project.reporting.charts.look import Look, colour_scale, finished, legend
from dagster_project.reporting.charts.series import keys_of
from dagster_project.reporting.charts.time_rows import Mark, Threshold, time_rows

__all__ = ["Kind", "Mark", "Threshold", "described", "time_chart"]
_SHORT_NAME = 6
_FORM = ",.4~r"


def time_chart(
    frame: pd.DataFrame,
    *,
    value: str,
    series: str,
    unit: str,
    look: Look,
    clock: Clock,
    step_s: int,
    known: Sequence[str] = (),
    height: int = 190,
    **more: Any,
) -> alt.LayerChart:
    """Lines of `value` over `bucket_at` by `series`; `more` as in `time_rows`."""
    names = sorted(frame[series].unique()) if len(frame) else []
    rows = time_rows(
        frame, value=value, series=series, clock=clock, names=names, step_s=step_s, **more
    )
    kind = Kind(tuple(names), tuple(known or names), unit, look, clock.label, height)
    return described(rows, kind)


@dataclass(frozen=True)
class Kind:
    """All that a chart's description depends on: names and forms, never a moment.

    `label` is the text of a tick (`Clock.label`). With `is_live` a pointer can zoom and pick; a picture
    has no pointer.
    """

    names: tuple[str, ...]
    known: tuple[str, ...]
    unit: str
    look: Look
    label: str
    height: int
    is_live: bool = False

    @property
    def has_names_at_ends(self) -> bool:
        """Whether names stand at the lines instead of in a legend."""
        return 1 < len(self.names) <= 4 and all(len(n) <= _SHORT_NAME for n in self.names)

    def x(self) -> alt.X:
        """Time."""
        return time_axis("at", self.label, self.look)

    def y(self) -> alt.Y:
        """Values."""
        return value_axis("value", self.look, unit=self.unit)

    def colour(self) -> alt.Color:
        """Names by colour."""
        return alt.Color(
            "series:N",
            scale=colour_scale(self.names, self.known, self.look),
            legend=None if self.has_names_at_ends else legend(self.names, self.look),
        )


def described(rows: pd.DataFrame, kind: Kind) -> alt.LayerChart:
    """The chart of such rows."""
    base, look = alt.Chart(rows), kind.look
    x, y, colour = kind.x(), kind.y(), kind.colour()
    layers = [
        _only(base, "edge").mark_point(opacity=0).encode(x=x),
        _only(base, "threshold").mark_rule(color=look.critical, strokeDash=[4, 3]).encode(y=y),
        _threshold_names(base, look),
        _only(base, "compare")
        .mark_line(strokeWidth=1.2, strokeDash=[3, 3], color=look.quiet)
        .encode(x=x, y=y, detail="series:N"),
        _only(base, "partial")
        .mark_line(strokeWidth=1.8, opacity=0.45)
        .encode(x=x, y=y, color=colour),
        _only(base, "value").mark_line(strokeWidth=1.8).encode(x=x, y=y, color=colour),
    ]
    if kind.has_names_at_ends:
        layers.append(_names_at_ends(base, kind))
    layers += [_rule(base, kind), _points(base, kind), *_marks(base, look, x)]
    chart = finished(alt.layer(*layers), look, kind.height)
    right = 34 if kind.has_names_at_ends else 8
    return chart.properties(padding={"left": 2, "top": 6, "bottom": 2, "right": right})


def _only(base: alt.Chart, kind: str) -> alt.Chart:
    return base.transform_filter(f"datum.kind === '{kind}'")


def _threshold_names(base: alt.Chart, look: Look) -> alt.Chart:
    return (
        _only(base, "threshold")
        .mark_text(align="left", dx=4, dy=-6, fontSize=11, color=look.critical)
        .encode(x=alt.value(0), y="value:Q", text="note:N")
    )


def _names_at_ends(base: alt.Chart, kind: Kind) -> alt.Chart:
    return (
        _only(base, "name")
        .mark_text(align="left", dx=5, fontSize=12, clip=False)
        .encode(x=alt.value("width"), y=kind.y(), color=kind.colour(), text="series:N")
    )


def _hover() -> alt.Parameter:
    return alt.selection_point(
        name="hover", fields=["at"], nearest=True, on="pointerover", clear="pointerout", empty=False
    )


def _measured(base: alt.Chart) -> alt.Chart:
    return base.transform_filter("datum.kind === 'value' || datum.kind === 'partial'")


def _rule(base: alt.Chart, kind: Kind) -> alt.Chart:
    """One rule under the pointer, with all values of that time in one tooltip."""
    hover, keys, unit = _hover(), keys_of(kind.names), f", {kind.unit}" if kind.unit else ""
    named = [alt.Tooltip(f"{keys[n]}:Q", title=f"{n}{unit}", format=_FORM) for n in kind.names]
    rule = (
        _measured(base)
        .transform_pivot("key", value="value", groupby=["at", "when"], op="max")
        .mark_rule(color=kind.look.quiet)
        .encode(
            x=kind.x(),
            opacity=alt.when(hover).then(alt.value(0.5)).otherwise(alt.value(0)),
            tooltip=[alt.Tooltip("when:N", title="time"), *named],
        )
        .add_params(hover)
    )
    if not kind.is_live:
        return rule
    picked = alt.selection_point(name="minute", fields=["at"], nearest=True, on="click")
    brush = alt.BrushConfig(fill=kind.look.accent, fillOpacity=0.15)
    return rule.add_params(
        picked, alt.selection_interval(name="range", encodings=["x"], mark=brush)
    )


def _points(base: alt.Chart, kind: Kind) -> alt.Chart:
    return (
        _measured(base)
        .transform_filter(_hover())
        .mark_point(size=36, filled=True)
        .encode(x=kind.x(), y=kind.y(), color=kind.colour())
    )


def _marks(base: alt.Chart, look: Look, x: alt.X) -> list[alt.Chart]:
    """Deployments and notes: a quiet dashed rule, and at its top a sign that says which."""
    happened = _only(base, "mark")
    told = [alt.Tooltip("note:N", title="what"), alt.Tooltip("when:N", title="time")]
    return [
        happened.mark_rule(color=look.quiet, strokeDash=[2, 3]).encode(x=x),
        happened.mark_point(
            shape="triangle-down", filled=True, size=70, color=look.quiet, opacity=1
        ).encode(x=x, y=alt.value(0), tooltip=told),
    ]
