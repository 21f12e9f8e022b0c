"""Panels that more than one page shows: a heading with its tools, a reading with its states, latency.

Here: a reading to what stands in its place, whatever became of it. Not here: charts (`drawing`), readings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from privacy.access.access_policy import Right
from streamlit_app.components import drawing, formats, markup, states
from streamlit_app.components.drawer import drawer
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.header.saved_menu import marks
from streamlit_app.readings import ranges, releases, source
from streamlit_app.readings.source import Reading
from streamlit_app.sign_in import permission
from streamlit_app.view import View

_QUANTILES = {"p50_ms": "p50", "p95_ms": "p95", "p99_ms": "p99"}
_COMPARED = "p95"
_STALE = timedelta(minutes=30)
_WHO = "An administrator can give you a role that may read it."


@dataclass(frozen=True)
class Panel:
    """A part of a page: its title, `key` (unique on the page), and what it shows in a word, as `requests`.

    `note` says in Markdown what the figures mean; `fill` what would fill it when that is not just telemetry.
    """

    title: str
    key: str
    what: str
    note: str = ""
    fill: str = ""


def asked(name: str, question: Callable[[View], Reading], view: View) -> Reading | None:
    """The answer to a question, or None where the role may not read live query `name` or the copy."""
    may_ask = permission.may_read(Right.QUERY, name)
    if not (may_ask and permission.may_read(Right.AUDIENCE, source.AUDIENCE)):
        return None
    return question(view)


def panel(
    about: Panel,
    view: View,
    reading: Reading | None,
    draw: Callable[[Reading], dict[str, Any] | None],
) -> None:
    """Draw what was answered, or why there is nothing; beside the title its age, export and origin.

    `draw` returns the description of a chart, if it drew one. A reading of None is one the role may not see.
    """
    with st.container(border=True):
        tools = heading(about.title)
        if reading is None:
            states.forbidden(about.what, _WHO)
            return
        drawn = None
        if not states.problem(reading):
            if reading.frame.empty:
                states.empty(about.what, about.fill)
            else:
                drawn = draw(reading)
        with tools:
            late = _lateness(reading, view, datetime.now(view.end_at.tzinfo))
            if late:
                st.html(late, width="content")
            if len(reading.frame):
                export_menu(about.key, reading.frame, view, chart=drawn)
            drawer(reading, key=f"how-{about.key}", note=about.note)


def _lateness(reading: Reading, view: View, now: datetime) -> str:
    """HTML: how old a copy is that lacks what happened late in the range; empty when it lacks little."""
    if reading.source == "live" or reading.as_of is None:
        return ""
    if view.end_at - reading.as_of < _STALE:
        return ""
    age = formats.age(formats.seconds_since(reading.as_of, now))
    hover = "The published copy was made then: what happened since is in it after the next pass."
    return (
        f'<span class="tta-pill tta-warning" title="{hover}">{markup.symbol("history")}'
        f"<span>{age} old</span></span>"
    )


@dataclass(frozen=True)
class Compared:
    """The same reading of another time or release, how far it is moved to lie under this one, its buckets."""

    frame: pd.DataFrame
    moved_by: timedelta
    step_s: int


def compared(question: Callable[[View], Reading], view: View) -> Compared | None:
    """What a view is compared with, asked the same; None when it is with nothing, or nothing was found."""
    other = releases.compared(view)
    if other is None:
        return None
    frame = question(other).frame
    if frame.empty:
        return None
    return Compared(frame, view.start_at - other.start_at, ranges.step_s(other))


class Read(Protocol):
    """A frame, or why there is none."""

    @property
    def frame(self) -> pd.DataFrame:
        """The rows; empty when there are none."""
        ...

    @property
    def problem(self) -> str | None:
        """Why there is no frame, or None."""
        ...


def heading(title: str) -> DeltaGenerator:
    """A heading, and the place beside it for export and drawer."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    row.html(f'<h2 class="tta-heading">{markup.text(title)}</h2>')
    return row


def latency_lines(
    reading: Read,
    view: View,
    step_s: int,
    *,
    key: str,
    title: str = "Latency, ms",
    height: int = 190,
) -> None:
    """p50, p95 and p99 (columns p50_ms, p95_ms, p99_ms by bucket_at) over time, or why there are none."""
    tools = heading(title)
    if states.problem(reading):
        return
    if reading.frame.empty:
        states.empty("requests")
        return
    drawn = quantile_chart(reading.frame, view, step_s, key=key, height=height)
    with tools:
        export_menu(key, reading.frame, view, chart=drawn)


def quantile_chart(
    frame: pd.DataFrame,
    view: View,
    step_s: int,
    *,
    key: str,
    height: int = 190,
    other: Compared | None = None,
) -> dict[str, Any]:
    """p50, p95 and p99 over time with releases and notes; the p95 of `other` as a quiet dashed line."""
    how: dict[str, Any] = {}
    if other is not None:
        before = _long(other.frame)
        before = pd.DataFrame(before[before["quantile"] == _COMPARED])
        how = {"compare": before, "moved_by": other.moved_by, "compare_step_s": other.step_s}
    return drawing.time_chart(
        _long(frame), "ms", "quantile", "ms", view, key=key, step_s=step_s,
        known=list(_QUANTILES.values()), height=height, marks=marks(view), **how,
    )  # fmt: skip


def _long(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.melt("bucket_at", list(_QUANTILES), "quantile", "ms").replace(_QUANTILES)
