"""What stands where nothing can be shown, or where it is not as it should be.

Here: empty, loading, stale, failed and forbidden, each in one sentence that says what to do. Not here:
whether something is (`readings`, `permission`).
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import pandas as pd
import streamlit as st

from streamlit_app.components import formats, markup
from streamlit_app.readings import source
from streamlit_app.view import View

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Problematic(Protocol):
    """A reading that may have failed."""

    @property
    def problem(self) -> str | None:
        """Why there is nothing, or None."""
        ...


class Told(Problematic, Protocol):
    """A reading with its rows, its source (live or marts) and when that was made."""

    @property
    def frame(self) -> pd.DataFrame:
        """Its rows."""
        ...

    @property
    def source(self) -> str:
        """live or marts."""
        ...

    @property
    def as_of(self) -> datetime | None:
        """When the window answered or the copy was made, UTC."""
        ...


def held_back(reading: Told, what: str, view: View, *, fill: str = "") -> bool:
    """Say why a reading has nothing to show, or what it lacks; True when there is nothing.

    `fill` says what would fill it; filters that leave nothing say so themselves.
    """
    if problem(reading):
        return True
    _lacks_the_newest(reading, view)
    if len(reading.frame):
        return False
    if view.filters:
        _state("filter_alt_off", f"No {what} with these filters in this range.", "Remove a filter.")
    else:
        empty(what, fill)
    return True


def _lacks_the_newest(reading: Told, view: View) -> None:
    """Marts that end before the range does: what came later is missing in what is shown."""
    passes = timedelta(minutes=source.settings().warehouse.build_every_minutes)
    if reading.source != "marts" or reading.as_of is None:
        return
    if view.end_at - reading.as_of > 3 * passes:
        age = formats.seconds_since(reading.as_of, datetime.now(UTC))
        stale("Marts are", age, "What came later is missing: the next pass of Dagster adds it.")


def empty(what: str, fill: str = "", *, where: str = " in this range") -> None:
    """Nothing there: what would fill it; `where` is empty for what has no range."""
    if not fill:
        receiver = source.settings().receiver
        fill = f"Send some with {_ENDPOINT}=http://{receiver.host}:{receiver.http_port}."
    _state("inbox", f"No {what}{where}.", fill)


def loading(what: str) -> None:
    """Not there yet."""
    _state("hourglass_top", f"Reading {what}.", "")


def stale(what: str, age_s: float | None, why: str = "") -> None:
    """Older than it should be: how old, and why."""
    _state("history", f"{what} {formats.age(age_s)} old.", why, kind="warning")


def failed(why: str) -> None:
    """Could not be read: the reason with its fix."""
    _state("cloud_off", "Not read.", why, kind="critical", role="alert")


def forbidden(what: str, who: str) -> None:
    """May not be seen by this role: who can give it."""
    _state("lock", f"Your role does not see {what}.", who)


def problem(reading: Problematic) -> bool:
    """Show why a reading failed; True when it did."""
    if reading.problem:
        failed(reading.problem)
    return bool(reading.problem)


def _state(
    symbol: str, words: str, more: str, *, kind: str = "unknown", role: str = "status"
) -> None:
    st.html(
        f'<div class="tta-state tta-{kind}" role="{role}">{markup.symbol(symbol)}'
        f"<p><b>{markup.text(words)}</b> {markup.text(more)}</p></div>"
    )
