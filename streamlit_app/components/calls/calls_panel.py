"""The panel that leads from figures to single calls: the slow and the failed of what a page shows.

Here: asking for them, the minute that was clicked, wider where the marts keep fewer. Not here: the table
(`call_table`).
"""

import streamlit as st

from streamlit_app.components.calls import call_table, chosen_minute
from streamlit_app.components.panels import Panel, asked, panel
from streamlit_app.readings import ranges, traces
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_NOTE = """
Of each {name} and minute the slowest three and three that failed are kept, with their traces; in the
published copy of each ten minutes. The slowest stand first, those that failed before them.
"""


def calls_panel(
    title: str,
    kind: str,
    view: View,
    *,
    back: str,
    subject: str | None = None,
    verb: str | None = None,
    minute: View | None = None,
    most: int = 8,
    **details: str,
) -> None:
    """Slow and failed calls of a kind (request, ai_call, db) in the view, or in a minute of it.

    `subject` is a route, model or statement. Each row opens its trace, from which `back` names the page.
    """
    wanted = minute or view

    def question(shown: View) -> Reading:
        found = traces.exemplars(shown, kind, subject, verb, limit=100)
        is_thin = minute is not None and found.frame.empty and not found.problem
        if is_thin and not ranges.is_live(shown):
            return traces.exemplars(chosen_minute.around(shown), kind, subject, verb, limit=100)
        return found

    def draw(reading: Reading) -> None:
        if minute is not None and _is_wider(reading, minute):
            st.caption("None of this very minute is kept: these are of the ten minutes around it.")
        call_table.call_table(
            reading.frame, kind, view, key=f"calls-{kind}", back=back, most=most, **details
        )

    name = call_table.NAMES[kind].lower()
    about = Panel(title, f"calls-{kind}", "slow or failed calls", _NOTE.format(name=name),
                  fill="Calls with a trace id fill it.")  # fmt: skip
    panel(about, wanted, asked("exemplars", question, wanted), draw)


def _is_wider(reading: Reading, minute: View) -> bool:
    times = reading.frame["event_at"]
    return bool(((times < minute.start_at) | (times >= minute.end_at)).all())
