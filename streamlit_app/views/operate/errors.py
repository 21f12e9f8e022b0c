"""Errors: which groups there are, worst first, and one group with all that is known of it."""

from datetime import UTC, timedelta

import pandas as pd
import streamlit as st

from ingestion.meaning.errors.group_states import GroupRecord
from streamlit_app.components import address, drawing, formats, frame, markup, panels, states
from streamlit_app.components.drawer import drawer
from streamlit_app.components.events import choices, error_decisions, error_group_rows
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.header.saved_menu import marks
from streamlit_app.components.ranked_table import ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import errors as data
from streamlit_app.readings import traces
from streamlit_app.sign_in import permission
from streamlit_app.view import View

_HELP = """
Errors of one cause are one group. The list begins with what came back or grows; a group shows why it is
one, its stack, its traces and releases, and what was decided about it.
"""
_FILTERS = ("component", "environment", "version", "route", "q")
_FILL = "An error comes here with the first span or log record that failed with an exception."
_COUNT_NOTE = "Errors by group. Sessions are counted from ten on, so that nobody can be made out."
_TRACE_NOTE = "Errors of this group that were part of a trace; marts keep those of exemplars."
_RELEASE_NOTE = "Releases in which the group was seen in this range, by the errors that name one."
_TRAIL = 30
_STATES = {state.value: state.value.capitalize() for state in error_group_rows.PILLS}


def main() -> None:
    """Draw the list, or the group that the address names."""
    permission.page("errors")
    key = st.query_params.get("group")
    record = data.record(key) if key else None
    trail = [("All errors", address.here(group=None))] if key else []
    if record:
        trail.append((record.title[:_TRAIL], ""))
    shown = frame.page("errors", "Errors", filters=_FILTERS, known=_known, trail=trail, help=_HELP)
    if key:
        _group(record, shown)
        return
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="error-choices"
    ):
        choices.words_field(shown, "Words in title or place")
        choices.detail(shown, "state", "State", _STATES)
    with st.container(border=True):
        frame.live(_list, shown)


def _known(_: View) -> dict[str, list[str]]:
    return {"component": sorted({r.component for r in data.records().values()})}


def _list(shown: View) -> None:
    tools = panels.heading("Error groups, worst first")
    reading = data.groups_of(shown)
    if states.held_back(reading, "errors", shown, fill=_FILL):
        return
    trend = data.trend_of(shown).frame
    rows = error_group_rows.group_rows(reading.frame, data.records(), trend, shown, address.now())
    rows = error_group_rows.filtered(rows, _state(), shown.search)
    if rows.empty:
        st.html('<p class="tta-quiet">No group matches: widen the state or the words.</p>')
        return
    has_sessions = any(rows["sessions"].notna())
    columns = [c for c in error_group_rows.GROUPS if c.name != "sessions" or has_sessions]
    ranked_table(
        rows, columns, key="groups", caption="Error groups, worst first", most=50,
        link=lambda row: shown.link("errors", group=row["group_key"]),
    )  # fmt: skip
    with tools:
        drawer(reading, key="how-groups", note=_COUNT_NOTE)
        told = rows.drop(columns=["rank", "trend", "error", "component"])
        export_menu("error groups", told.assign(state=[s for _, s in rows["state"]]), shown)


def _state() -> str | None:
    chosen = address.details().get("state")
    return chosen if chosen in _STATES else None


def _group(record: GroupRecord | None, shown: View) -> None:
    if record is None:
        states.empty(
            "group of this key",
            "It was merged into another, or no live tail of this home has seen it.",
            where="",
        )
        return
    st.html(_headline(record))
    _numbers(record, shown)
    left, right = st.columns([3, 2])
    with left:
        frame.live(lambda view: _seen(record, view), shown)
        _stack(record)
    with right:
        error_decisions.decide(record)
        error_decisions.history(record)


def _headline(record: GroupRecord) -> str:
    state = record.state(data.now())
    place = record.culprit or "no frame of our own"
    about = " · ".join([place, ", ".join(record.components), record.key])
    assigned = f" · {record.assignee} looks after it" if record.assignee else ""
    return (
        f'<div class="tta-cause">{markup.pill(error_group_rows.PILLS[state], state.value)} '
        f"<h2>{markup.text(record.title)}</h2>"
        f'<span class="tta-quiet">{markup.text(about + assigned)}</span></div>'
    )


def _numbers(record: GroupRecord, shown: View) -> None:
    rows = data.groups_of(shown.but(component=None, route=None, version=None, search="")).frame
    rows = rows[rows["group_key"] == record.key] if len(rows) else rows
    sessions = float(rows.iloc[0]["session_count"] or "nan") if len(rows) else None
    first = _first_release(record, shown)
    now = address.now()
    cards = [
        Tile(
            "Errors in range", formats.number(rows.iloc[0]["error_count"] if len(rows) else 0, "")
        ),
        Tile("Errors in all", formats.number(record.count, "")),
        Tile("Affected sessions", formats.number(sessions, "", 0), missing=error_group_rows.FEW),
        Tile(
            "First seen", _ago(record.first_seen_at, now), note=_in_release(first) if first else ""
        ),
        Tile("Last seen", _ago(record.last_seen_at, now), note=_in_release(record.last_version)),
    ]
    tiles(cards)


def _first_release(record: GroupRecord, shown: View) -> str:
    """The release it was first seen in, where the range reaches back that far."""
    since = record.first_seen_at.replace(tzinfo=UTC)
    seen = data.releases_of(shown.but(search=""), record.key).frame
    if seen.empty or since < shown.start_at:
        return ""
    return str(seen.sort_values("first_seen_at").iloc[0]["version"])


def _ago(at: object, now: object) -> str:
    return f"{formats.age(formats.seconds_since(at, now))} ago"  # type: ignore[arg-type]


def _in_release(version: str | None) -> str:
    return f"in release {version}" if version else "no release was told"


def _seen(record: GroupRecord, shown: View) -> None:
    """When, in which traces, in which releases."""
    with st.container(border=True):
        _trend(record, shown)
    with st.container(border=True):
        _traces(record, shown)
    with st.container(border=True):
        _releases(record, shown)


def _trend(record: GroupRecord, shown: View) -> None:
    tools = panels.heading("Errors over time")
    reading = data.trend_of(shown, record.key)
    if states.held_back(reading, "errors of this group", shown, fill=_FILL):
        return
    step = data.step_s(shown)
    counted = data.counted(reading.frame, step, shown.end_at)
    drawn = drawing.time_chart(
        counted, "error_count", "series", "errors", shown, key="group-trend", step_s=step, height=120,
        marks=marks(shown),
    )  # fmt: skip
    with tools:
        drawer(reading, key="how-trend", note=f"Errors in buckets of {timedelta(seconds=step)}.")
        export_menu("errors of a group over time", counted, shown, chart=drawn)


def _traces(record: GroupRecord, shown: View) -> None:
    tools = panels.heading("Its latest traces")
    reading = traces.of_error_group(shown, record.key)
    fill = "Its errors belong to no trace, or are older than what is kept."
    if states.held_back(reading, "traces of this group", shown, fill=fill):
        return
    rows = error_group_rows.occurrence_rows(reading.frame, shown)
    ranked_table(
        rows,
        error_group_rows.OCCURRENCES,
        key="traces",
        caption="Traces of this group, newest first",
        most=6,
    )
    with tools:
        drawer(reading, key="how-traces", note=_TRACE_NOTE)
        export_menu("traces of a group", reading.frame, shown)


def _releases(record: GroupRecord, shown: View) -> None:
    tools = panels.heading("Releases it was seen in")
    reading = data.releases_of(shown, record.key)
    if states.held_back(reading, "errors of this group", shown, fill=_FILL):
        return
    ranked_table(
        error_group_rows.release_rows(reading.frame, shown), error_group_rows.RELEASES, key="releases",
        caption="Releases, the newest first", link=lambda row: _of_release(row, record, shown), most=6,
    )  # fmt: skip
    with tools:
        drawer(reading, key="how-releases", note=_RELEASE_NOTE)
        export_menu("releases of a group", pd.DataFrame(reading.frame), shown)


def _of_release(row: dict[str, object], record: GroupRecord, shown: View) -> str | None:
    """What else went wrong in it."""
    version = row["version"]
    return (
        shown.link("performance", version=version, component=record.component) if version else None
    )


def _stack(record: GroupRecord) -> None:
    with st.container(border=True):
        panels.heading("Why this is one group")
        st.html(f'<p class="tta-quiet">{markup.text(record.explanation)}</p>')
        panels.heading("Stack")
        st.code(record.sample_stack or "No stack was sent.", language=None, height=260)
        if record.breadcrumbs:
            panels.heading("Before it")
            st.code("\n".join(record.breadcrumbs), language=None)


main()
