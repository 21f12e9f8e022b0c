"""Live: what happens now, one by one: requests, errors, AI calls."""

import streamlit as st

from streamlit_app.components import address, frame, panels, states
from streamlit_app.components.drawer import drawer
from streamlit_app.components.events import choices, tail_rows
from streamlit_app.components.export_menu import export_menu
from streamlit_app.readings import requests
from streamlit_app.readings.arriving import tail
from streamlit_app.view import View

_HELP = """
The newest requests, errors and AI calls as they arrive, newest first. The list stands still while you read
further down, and when you pause it at the top. Follow an event to its route, its error group or its trace.
"""
_FILTERS = ("component", "environment", "version", "route", "model", "q")
_MOST, _HEIGHT = 150, 640
_FILL = "Each request, error and AI call shows here a second after a component sent its span."
_NOTE = "The newest events that the live window keeps one by one: of each kind the newest."


def main() -> None:
    """Draw the page."""
    shown = frame.page(
        "live", "Live", filters=_FILTERS, known=_known, default_range="15 min", help=_HELP
    )
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="tail-choices"
    ):
        choices.words_field(shown, "Words in events")
        choices.detail(shown, "kind", "Kind", tail_rows.KINDS)
    with st.container(border=True):
        frame.live(_drawn, shown)


def _known(shown: View) -> dict[str, list[str]]:
    rows = requests.routes(shown.but(component=None, route=None)).frame
    if rows.empty:
        return {}
    return {name: sorted(rows[name].unique()) for name in ("component", "route")}


def _drawn(shown: View) -> None:
    chosen = address.details().get("kind")
    kind = chosen if chosen in tail_rows.KINDS else None
    reading = tail.newest(shown, kind, limit=_MOST)
    events = reading.with_frame(tail_rows.inside(reading.frame, shown))
    tools = panels.heading("Events, newest first")
    if states.held_back(events, "events", shown, fill=_FILL):
        return
    with tools:
        drawer(events, key="how-tail", note=_NOTE)
        export_menu("events", events.frame, shown)
    with st.container(height=_HEIGHT, border=False, key="tail"):
        st.html(tail_rows.listing(events.frame, shown))


main()
