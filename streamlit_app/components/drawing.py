"""Charts on a page: what a chart looks like is described once, then only its data travel.

Here: from a frame to what the browser draws, and from a drag or a click to the address. Not here: how
charts look (`dagster_project/reporting/charts`). Altair takes 150 ms of processor time to describe a
chart; pages draw theirs every few seconds.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from dagster_project.reporting.charts import Clock, Kind, Mark, Threshold
from streamlit_app.components import address, markup
from streamlit_app.components.header.range_picker import shortest
from streamlit_app.components.header.style import look
from streamlit_app.view import View, iso

_DESCRIBED = 200
_SELECTIONS = ("range", "minute")


def time_chart(
    frame: pd.DataFrame,
    value: str,
    series: str,
    unit: str,
    view: View,
    *,
    key: str,
    step_s: int | None = None,
    thresholds: Sequence[Threshold] = (),
    marks: Sequence[Mark] = (),
    compare: pd.DataFrame | None = None,
    moved_by: timedelta | None = None,
    compare_step_s: int | None = None,
    known: Sequence[str] = (),
    height: int = 190,
) -> dict[str, Any]:
    """Lines of `value` over `bucket_at` (UTC, aware) by `series`; dragging zooms, a click sets `at`.

    `compare` holds the same columns of a period that ended `moved_by` earlier, usually the range's length,
    in buckets of `compare_step_s`.
    Returns the description with its data, which `export_menu` draws as a picture.
    """
    clock = Clock(view.start_at, view.end_at, view.zone)
    step = step_s or view.step_s()
    names = tuple(sorted(frame[series].unique())) if len(frame) else ()
    rows = charts.time_rows(
        frame, value=value, series=series, clock=clock, names=names, step_s=step, thresholds=thresholds,
        marks=marks, compare=compare, moved_by=view.length if moved_by is None else moved_by,
        compare_step_s=compare_step_s,
        partial_after=view.end_at - timedelta(seconds=step) if view.ends_now else None,
    )  # fmt: skip
    kind = Kind(names, tuple(known or names), unit, look(), clock.label, height, is_live=True)
    description = _described(kind)
    if len(names) > 1 and not kind.has_names_at_ends:
        st.html(markup.legend(names, charts.colour_scale(names, kind.known, look()).range))
    _draw(
        rows,
        _without_legend(description),
        key=f"{key} {_of_range(view)}",
        selections=_SELECTIONS,
        seen=_zoom(view, clock),
    )
    return {**json.loads(description), "data": {"values": _records(rows)}}


def bars_over_time(
    frame: pd.DataFrame, value: str, series: str, unit: str, view: View, *, key: str, **how: Any
) -> dict[str, Any]:
    """Stacked counts in buckets by `series`; dragging zooms. `how` as in `charts.bars_over_time`.

    Its edges are whole buckets: until one is over or a count has changed it is the same drawing.
    """
    step = how.setdefault("step_s", view.step_s())
    clock = Clock(
        _bucket(view.start_at, step),
        _bucket(view.end_at, step) + timedelta(seconds=step),
        view.zone,
    )
    about = (value, series, unit, look(), clock)
    fixed = tuple((n, tuple(v) if isinstance(v, Sequence) else v) for n, v in sorted(how.items()))
    described = json.loads(_bars(frame.to_json(date_format="iso", date_unit="us"), about, fixed))
    _send(
        None,
        described,
        key=f"{key} {_of_range(view)}",
        selections=("range",),
        seen=_zoom(view, clock),
    )
    return described


def _bucket(at: datetime, step_s: int) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // step_s * step_s, UTC)


@lru_cache(_DESCRIBED)
def _bars(rows: str, about: tuple[Any, ...], how: tuple[tuple[str, Any], ...]) -> str:
    value, series, unit, chosen, clock = about
    frame = pd.DataFrame(json.loads(rows))
    chart = charts.bars_over_time(
        frame,
        value=value,
        series=series,
        unit=unit,
        look=chosen,
        clock=clock,
        is_live=True,
        **dict(how),
    )
    return json.dumps(chart.to_dict())


def heat_map(
    frame: pd.DataFrame,
    view: View,
    *,
    key: str,
    step_s: int | None = None,
    what: str = "requests",
    height: int = 220,
) -> dict[str, Any]:
    """The distribution of `latency_ms` by `bucket_at` in `request_count`; a click sets `at`."""
    clock = Clock(view.start_at, view.end_at, view.zone)
    bands = charts.heat_bands(frame, step_s or view.step_s(), clock)
    description = _heat_map(look(), clock.label, what, height)
    _draw(
        bands,
        description,
        key=f"{key} {_of_range(view)}",
        selections=("cell",),
        seen=_zoom(view, clock),
    )
    return {**json.loads(description), "data": {"values": _records(bands)}}


def chart(made: Any, *, key: str) -> dict[str, Any]:
    """Any other chart of `charts`, with its data and without selections."""
    return _whole(made, key=key, selections=(), seen=None)


def _whole(
    made: Any, *, key: str, selections: Sequence[str], seen: Callable[[str], None] | None
) -> dict[str, Any]:
    description = made.to_dict()
    _send(None, description, key=key, selections=selections, seen=seen)
    return description


def _draw(
    frame: pd.DataFrame,
    description: str,
    *,
    key: str,
    selections: Sequence[str],
    seen: Callable[[str], None],
) -> None:
    _send(frame, json.loads(description), key=key, selections=selections, seen=seen)


def _send(
    frame: pd.DataFrame | None,
    description: dict[str, Any],
    *,
    key: str,
    selections: Sequence[str],
    seen: Callable[[str], None] | None,
) -> None:
    how: dict[str, Any] = {"key": key, "width": "stretch", "theme": None}
    if seen and selections:
        how |= {"on_select": lambda: seen(key), "selection_mode": list(selections)}
    st.vega_lite_chart(frame, description, **how)


def _of_range(view: View) -> str:
    """Another range is another chart: what was dragged in one is not dragged in the next."""
    return view.label or f"{iso(view.start_at)} {iso(view.end_at)}"


def _zoom(view: View, clock: Clock) -> Callable[[str], None]:
    """What follows a drag or a click: the address changes."""

    def seen(key: str) -> None:
        chosen = st.session_state[key]["selection"]
        ends = (chosen.get("range") or {}).get("at")
        picked = chosen.get("minute") or chosen.get("cell")
        if ends and len(ends) == 2:
            start_at, end_at = shortest(*(clock.moment(ms) for ms in sorted(ends)))
            address.go(view.but(start_at=start_at, end_at=end_at), at=None)
        elif picked:
            address.go(view, at=iso(clock.moment(picked[0]["at"])))

    return seen


@lru_cache(_DESCRIBED)
def _described(kind: Kind) -> str:
    columns = ["at", "when", "kind", "series", "key", "value", "note"]
    return _without_data(charts.described(pd.DataFrame(columns=columns), kind))


@lru_cache(_DESCRIBED)
def _without_legend(description: str) -> str:
    """As a page draws it: its own legend wraps as its words do, one within the chart takes a column."""
    told = json.loads(description)
    for layer in told.get("layer", [told]):
        if "color" in layer.get("encoding", {}):
            layer["encoding"]["color"]["legend"] = None
    return json.dumps(told)


@lru_cache(_DESCRIBED)
def _heat_map(chosen: charts.Look, label: str, what: str, height: int) -> str:
    columns = ["at", "end", "when", "low_ms", "high_ms", "requests"]
    empty = pd.DataFrame(columns=columns)
    made = charts.heat_map(empty, look=chosen, label=label, what=what, height=height, is_live=True)
    return _without_data(made)


def _without_data(made: alt.LayerChart) -> str:
    described = made.to_dict()
    kept = {key: part for key, part in described.items() if key not in {"data", "datasets"}}
    return json.dumps(kept)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(frame.to_json(orient="records", date_format="iso") or "[]")
