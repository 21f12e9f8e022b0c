"""The drawer "how is this computed": what was asked, of whom, when, and how to ask it again.

Here: showing a reading's origin. Not here: readings (`streamlit_app/readings`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlencode

import streamlit as st

from streamlit_app.components import formats
from streamlit_app.readings import source


class Answered(Protocol):
    """A reading that says how it was computed."""

    @property
    def sql(self) -> str:
        """What was asked."""
        ...

    @property
    def source(self) -> str:
        """`live` or `marts`."""
        ...

    @property
    def as_of(self) -> datetime | None:
        """UTC: when it was answered or published; None when it was not."""
        ...

    @property
    def name(self) -> str:
        """The live query; empty for marts."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was asked with."""
        ...

    @property
    def audience(self) -> str:
        """Whose copy was asked."""
        ...


def drawer(reading: Answered, *, key: str, note: str = "") -> None:
    """A button that opens it; `note` says in words what the figures mean."""
    with st.popover(
        "", icon=":material/function:", type="tertiary", help="How is this computed", key=key
    ):
        if note:
            st.markdown(note)
        st.caption(origin(reading, datetime.now(UTC)))
        if reading.sql:
            st.code(reading.sql.strip(), language="sql")
        given = [f"{k} = {v}" for k, v in reading.parameters.items() if v is not None]
        if given:
            st.caption(", ".join(given))
        st.caption("Ask it again:")
        st.code(again(reading), language="bash")


def origin(reading: Answered, now: datetime) -> str:
    """Where it came from, and how old it is."""
    age = formats.age(formats.seconds_since(reading.as_of, now))
    if reading.source == "live":
        return f"The live window's query {reading.name}, {age} ago."
    if reading.as_of is None:
        return f"The published copy for {reading.audience}, which is not there yet."
    return f"The published copy for {reading.audience}, made {age} ago."


def again(reading: Answered) -> str:
    """A command that asks the same: curl of the live API, or `query` for a published copy."""
    if reading.source != "live":
        one_line = " ".join(reading.sql.split()).replace('"', '\\"')
        return f'./tta.sh monitor query "{one_line}" --audience {reading.audience}'
    live = source.settings().live
    asked = urlencode({k: v for k, v in reading.parameters.items() if v is not None})
    address = f"http://{live.host}:{live.port}/api/v1/query/{reading.name}"
    return f'curl -H "Authorization: Bearer $TOKEN" "{address}{"?" + asked if asked else ""}"'
