"""The charts of a document in the product's look, as SVG.

Here: from a chart's data to the same drawing that pages show. Not here: the drawing (`charts`), placing it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from dagster_project.reporting import charts, picture
from dagster_project.reporting.charts import LIGHT, Clock, Look, Threshold
from dagster_project.reporting.document.report_document import Chart, Document

WIDTH, HEIGHT = 700, 150
_LEGEND_COLUMNS = 3
_MEANING = {
    "failed": "critical", "critical": "critical", "warning": "warning", "info": "unknown",
    "drop": "critical", "unknown": "warning",
}  # fmt: skip


def drawn(document: Document) -> list[str]:
    """SVG of each chart that has something to show, in their order; raises PictureProblem."""
    specs = [described(chart, document) for chart in with_points(document.charts)]
    return picture.svgs(specs, width=WIDTH, background="#FFFFFF")


def with_points(every: Sequence[Chart]) -> list[Chart]:
    """The charts that have something to show."""
    return [chart for chart in every if chart.points]


def described(
    chart: Chart, document: Document, look: Look = LIGHT, height: int = HEIGHT
) -> dict[str, Any]:
    """The Vega-Lite description of one chart."""
    period = document.period
    clock = Clock(period.start_at, period.end_at, period.zone)
    points = _with_ends(chart) if chart.form == "lines" else chart.points
    frame = pd.DataFrame(points, columns=["bucket_at", "series", "value"])
    shared: dict[str, Any] = {
        "value": "value", "series": "series", "unit": chart.unit, "look": look, "clock": clock,
        "step_s": chart.step_s, "height": height,
    }  # fmt: skip
    if chart.form == "lines":
        marks = [Threshold(*chart.threshold)] if chart.threshold else []
        return _on_one_line(charts.time_chart(frame, **shared, thresholds=marks).to_dict())
    folded = charts.fold_series(frame, "series", "value")
    return _on_one_line(charts.bars_over_time(folded, **shared, **_colours(folded, look)).to_dict())


def _with_ends(chart: Chart) -> list[tuple[Any, ...]]:
    """A bucket without neighbours is as long as it is: a line of one point would not be seen."""
    step = timedelta(seconds=chart.step_s)
    known = {(at, name) for at, name, _ in chart.points}
    alone = [
        (at + step, name, value)
        for at, name, value in chart.points
        if (at - step, name) not in known and (at + step, name) not in known
    ]
    return [*chart.points, *alone]


def _on_one_line(description: Any) -> Any:
    """Legends of pages fit a phone; on paper there is room."""
    if isinstance(description, list):
        return [_on_one_line(each) for each in description]
    if not isinstance(description, dict):
        return description
    every = {name: _on_one_line(each) for name, each in description.items()}
    if isinstance(every.get("legend"), dict):
        every["legend"]["columns"] = _LEGEND_COLUMNS
    return every


def _colours(frame: pd.DataFrame, look: Look) -> dict[str, Any]:
    """Names that have a meaning have its colour, the others one each."""
    names = sorted(frame["series"].unique())
    if not any(name in _MEANING for name in names):
        return {}
    plain = [n for n in names if n not in _MEANING]
    colours = [
        getattr(look, _MEANING[n]) if n in _MEANING else look.series[plain.index(n) % 6]
        for n in names
    ]
    return {"known": names, "colours": colours}
