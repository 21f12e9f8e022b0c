"""Logs: what was written, by pattern and line, and the trace that a line belongs to."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from streamlit_app.components import address, drawing, frame, markup, panels, states
from streamlit_app.components.drawer import drawer
from streamlit_app.components.events import choices, log_rows
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.header.style import look
from streamlit_app.components.ranked_table import ranked_table
from streamlit_app.readings import logs as data
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_HELP = """
Log lines as skeletons: names and values of people are masked before they are stored. Patterns are lines
that differ in their values alone. Follow a pattern to its lines, and a line to the trace that it belongs to.
"""
_FILTERS = ("component", "environment", "version", "severity", "q")
_MOST_LINES = 200
_CHOSEN = {"error": "Error", "warning": "Warning", "info": "Info", "debug": "Debug"}
_FILL = "Log records arrive as OTLP logs, or from files that config.yaml names under collectors.log_files."
_COUNTED = "Lines by severity in each bucket of the range, all patterns together."
_PATTERN_NOTE = "A pattern is a line without its values. Trend is its lines over the range."
_LINE_NOTE = (
    "The newest lines. Of what is older than the live window five lines of each pattern and ten minutes are "
    "kept; all of them are counted above."
)


def main() -> None:
    """Draw the page."""
    pattern = st.query_params.get("pattern")
    trail = [("All patterns", address.here(pattern=None)), ("one pattern", "")] if pattern else []
    shown = frame.page("logs", "Logs", filters=_FILTERS, known=_known, trail=trail, help=_HELP)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="log-choices"):
        choices.words_field(shown, "Words in lines")
        choices.severity(shown, _CHOSEN)
    frame.live(_drawn, shown)


def _known(shown: View) -> Mapping[str, Sequence[str]]:
    rows = data.patterns(shown.but(component=None, severity=None, search="")).frame
    components = sorted(rows["component"].unique()) if len(rows) else []
    return {"severity": log_rows.SEVERITIES, "component": components}


def _drawn(shown: View) -> None:
    pattern = st.query_params.get("pattern")
    counts = data.counts(shown, pattern)
    with st.container(border=True):
        _over_time(shown, counts)
    with st.container(border=True):
        _patterns(shown, pattern, counts.frame)
    with st.container(border=True):
        _lines(shown, pattern)


def _over_time(shown: View, counts: Reading) -> None:
    tools = panels.heading("Lines over time")
    if states.held_back(counts, "log lines", shown, fill=_FILL):
        return
    rows = log_rows.over_time(counts.frame)
    known = [name for name in log_rows.SHOWN if name in set(rows["severity"])]
    drawn = drawing.bars_over_time(
        rows, "line_count", "severity", "lines", shown, key="log-lines", step_s=data.step_s(shown),
        known=known, colours=[log_rows.colour(name, look()) for name in known], height=130,
    )  # fmt: skip
    with tools:
        drawer(counts, key="how-log-lines", note=_COUNTED)
        export_menu("log lines over time", rows, shown, chart=drawn)


def _patterns(shown: View, pattern: str | None, counts: pd.DataFrame) -> None:
    tools = panels.heading("This pattern" if pattern else "Patterns, most lines first")
    reading = data.patterns(shown, pattern)
    if states.held_back(reading, "patterns", shown, fill=_FILL):
        return
    rows = log_rows.pattern_rows(reading.frame, counts, shown, data.step_s(shown))
    ranked_table(
        rows, log_rows.PATTERNS, key="patterns", caption="Patterns of log lines, most lines first",
        link=lambda row: address.here(pattern=row["pattern_key"]), most=8,
    )  # fmt: skip
    if pattern:
        st.html(f'<p class="tta-line">{markup.text(reading.frame["pattern"].iloc[0])}</p>')
    with tools:
        drawer(reading, key="how-patterns", note=_PATTERN_NOTE)
        export_menu("log patterns", reading.frame, shown)


def _lines(shown: View, pattern: str | None) -> None:
    tools = panels.heading("Lines, newest first")
    reading = data.lines(shown, pattern, _MOST_LINES)
    if states.held_back(reading, "log lines", shown, fill=_FILL):
        return
    rows = log_rows.line_rows(reading.frame, shown)
    ranked_table(rows, log_rows.LINES, key="lines", caption="Log lines, newest first", most=50)
    with tools:
        drawer(reading, key="how-lines", note=_LINE_NOTE)
        export_menu("log lines", reading.frame, shown)


main()
