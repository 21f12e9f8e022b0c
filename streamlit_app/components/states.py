"""What stands where nothing can be shown, or where it is not as it should be.

Here: empty, loading, stale, failed and forbidden, each in one sentence that says what to do. Not here:
whether something is (`readings`, `permission`).
"""

from typing import Protocol

import streamlit as st

from streamlit_app.components import formats, markup
from streamlit_app.readings import source

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Problematic(Protocol):
    """A reading that may have failed."""

    @property
    def problem(self) -> str | None:
        """Why there is nothing, or None."""
        ...


def empty(what: str, fill: str = "") -> None:
    """Nothing in this range: what would fill it."""
    if not fill:
        receiver = source.settings().receiver
        fill = f"Send some with {_ENDPOINT}=http://{receiver.host}:{receiver.http_port}."
    _state("inbox", f"No {what} in this range.", fill)


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
