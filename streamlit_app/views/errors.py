"""Errors: which groups there are, worst first, and one group with all that is known of it."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from ingestion.meaning.errors.group_states import GroupRecord, State
from ingestion.meaning.errors.hand_rules import DIMENSIONS
from streamlit_app.actions import errors as error_actions
from streamlit_app.components import drawing, formats, frame, markup, states
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import errors as errors_data
from streamlit_app.readings import performance as data
from streamlit_app.sign_in import permission
from streamlit_app.view import View

_SYMBOLS = {
    State.REGRESSED: "✖",
    State.ESCALATING: "▲",
    State.NEW: "●",
    State.ONGOING: "○",
    State.MUTED: "–",  # noqa: RUF001 - a dash, as for what is not told
    State.RESOLVED: "✓",
}
_PILLS: dict[State, markup.State] = {
    State.REGRESSED: "critical", State.ESCALATING: "warning", State.NEW: "info",
    State.ONGOING: "unknown", State.MUTED: "unknown", State.RESOLVED: "ok",
}  # fmt: skip
_FEW = "Affected sessions are shown from ten on."
_HELP = """
Errors of one cause are one group. The list begins with what came back or grows; a group shows why it is
one, its stack, its latest errors, and what was decided about it.
"""
_GROUPS = (
    Column(
        "title",
        "Error",
        hover=lambda row: f"{row['title']} in {row['place'] or 'no frame of our own'}",
    ),
    Column("state", "State", "pill"),
    Column("errors", "Errors", "bar", lambda v: f"{v:,.0f}"),
    Column("trend", "Trend", "spark"),
    Column("place", "Where"),
    Column("components", "Components"),
    Column("sessions", "Sessions", "number", lambda v: f"{v:,.0f}", note=_FEW),
    Column("seen", "Last seen"),
)
_ORDER = list(_SYMBOLS)
_ALL = "All states"


def main() -> None:
    """Draw the list, or the group that the address names."""
    permission.page("errors")
    key = st.query_params.get("group")
    record = errors_data.record(key) if key else None
    trail = [("All errors", "/errors")] if key else []
    if record:
        trail.append((record.title[:80], ""))
    shown = frame.page(
        "errors", "Errors", filters=("component", "q"), known=_known, trail=trail, help=_HELP
    )
    if key:
        _group(record, shown)
    else:
        _list(shown)


def _known(_: View) -> dict[str, list[str]]:
    return {"component": sorted({r.component for r in errors_data.records().values()})}


def _list(shown: View) -> None:
    minutes, component = shown.minutes, shown.component
    known = errors_data.records()
    options = [_ALL, *(s.value for s in _ORDER)]
    state = (
        st.segmented_control("State", options, default=_ALL, label_visibility="collapsed") or _ALL
    )
    reading = errors_data.groups(minutes, component)
    if states.problem(reading):
        return
    if reading.frame.empty:
        states.empty("errors")
        return
    rows = group_table(reading.frame, known, errors_data.trend(minutes), datetime.now(UTC))
    rows = filtered(rows, state, shown.search)
    if rows.empty:
        st.caption("No group matches: widen the state or the search.")
        return
    ranked_table(
        rows, _GROUPS, key="groups", caption="Error groups, worst first",
        link=lambda row: shown.link("errors", group=row["group_key"]), most=50,
    )  # fmt: skip


def group_table(
    groups: pd.DataFrame, known: dict[str, GroupRecord], trend: pd.DataFrame, now: datetime
) -> pd.DataFrame:
    """The rows people see, worst state first, then by count."""
    moment = now.replace(tzinfo=None)
    told = [known[k].state(moment) if k in known else State.ONGOING for k in groups["group_key"]]
    lines = _sparklines(trend)
    table = pd.DataFrame(
        {
            "group_key": groups["group_key"],
            "rank": [_ORDER.index(s) for s in told],
            "state": [(_PILLS[s], s.value) for s in told],
            "title": groups["title"],
            "errors": groups["error_count"],
            "trend": [lines.get(k, []) for k in groups["group_key"]],
            "place": groups["culprit"].replace("", None),
            "components": [", ".join(sorted(names)) for names in groups["components"]],
            "sessions": groups["session_count"].astype("Float64"),
            "seen": [f"{formats.age(_age(at, now))} ago" for at in groups["last_seen_at"]],
        }
    )
    return table.sort_values(["rank", "errors"], ascending=[True, False]).reset_index(drop=True)


def filtered(table: pd.DataFrame, state: str, words: str) -> pd.DataFrame:
    """Rows of a state whose title or place holds every word."""
    keep = pd.Series(True, index=table.index)
    if state != _ALL:
        keep &= table["state"].map(lambda pair: pair[1] == state)
    for word in words.lower().split():
        text = (table["title"] + " " + table["place"].fillna("")).str.lower()
        keep &= text.str.contains(word, regex=False)
    return pd.DataFrame(table[keep])


def _sparklines(trend: pd.DataFrame) -> dict[str, list[int]]:
    if trend.empty:
        return {}
    wide = trend.pivot_table(
        index="bucket_at", columns="group_key", values="error_count", fill_value=0
    )
    return {str(key): [int(n) for n in wide[key]] for key in wide.columns}


def _age(at: pd.Timestamp, now: datetime) -> float | None:
    return formats.seconds_since(at.to_pydatetime(), now)


def _group(record: GroupRecord | None, shown: View) -> None:
    if record is None:
        st.info("This group is not known here: it was merged, or no live tail has seen it.")
        return
    st.markdown(f"#### {record.title}")
    state = record.state(errors_data.now())
    st.caption(
        f"{_SYMBOLS[state]} {state} · {record.key} · {record.culprit or 'no frame of our own'}"
    )
    _numbers(record, shown.minutes)
    left, right = st.columns([3, 2])
    with left:
        _trend(record, shown)
        _stack(record)
        _latest(record)
    with right:
        _decide(record)
        _history(record)


def _numbers(record: GroupRecord, minutes: int) -> None:
    rows = errors_data.groups(minutes, None).frame
    rows = rows[rows["group_key"] == record.key] if len(rows) else rows
    sessions = float(rows.iloc[0]["session_count"] or "nan") if len(rows) else None
    now = datetime.now(UTC)
    cards = [
        ("Errors in range", formats.number(rows.iloc[0]["error_count"] if len(rows) else 0, "")),
        ("Errors in all", formats.number(record.count, "")),
        ("Affected sessions", formats.number(sessions, "", 0)),
        ("First seen", f"{formats.age(formats.seconds_since(record.first_seen_at, now))} ago"),
        ("Last seen", f"{formats.age(formats.seconds_since(record.last_seen_at, now))} ago"),
        ("Last release", record.last_version or formats.NOT_MEASURED),
    ]
    tiles([Tile(label, value, missing=_FEW) for label, value in cards])


def _trend(record: GroupRecord, shown: View) -> None:
    minutes = shown.minutes
    with st.container(border=True):
        st.markdown("**Errors over time**")
        trend = errors_data.trend(minutes, record.key)
        if trend.empty:
            states.empty("errors of this group")
            return
        counted = errors_data.counted(trend, data.step_s(minutes), datetime.now(UTC))
        drawing.time_chart(
            counted, "error_count", "series", "errors", shown, key="group-trend",
            step_s=data.step_s(minutes), height=150,
        )  # fmt: skip


def _stack(record: GroupRecord) -> None:
    with st.container(border=True):
        st.markdown("**Why this is one group**")
        st.caption(record.explanation)
        st.markdown("**Stack**")
        st.code(record.sample_stack or "No stack was sent.", language=None, height=260)
        if record.breadcrumbs:
            st.markdown("**Before it**")
            st.code("\n".join(record.breadcrumbs), language=None)


def _latest(record: GroupRecord) -> None:
    with st.container(border=True):
        st.markdown("**Latest in the live window**")
        reading = errors_data.latest(record.key)
        if states.problem(reading):
            return
        if reading.frame.empty:
            states.empty("errors of this group")
            return
        names = {
            "event_at": "Time (UTC)", "component": "Component", "version": "Release",
            "environment": "Environment", "route": "Route", "trace_id": "Trace",
        }  # fmt: skip
        shown = pd.DataFrame(reading.frame[list(names)]).rename(columns=names)
        st.dataframe(
            shown, hide_index=True, width="stretch", height=240, placeholder=formats.NOT_MEASURED
        )


def _decide(record: GroupRecord) -> None:
    store = errors_data.store()
    if store is None:
        return
    with st.container(border=True):
        st.markdown("**Decide**")
        release = st.text_input("Fixed in release", placeholder=record.last_version or "")
        one, two, three = st.columns(3)
        if one.button("Resolve", icon=":material/check:", type="primary", width="stretch"):
            _done(error_actions.resolve(store, record.key, release))
        if two.button("Mute", icon=":material/notifications_off:", width="stretch"):
            _done(error_actions.mute(store, record.key))
        if three.button("Reopen", icon=":material/undo:", width="stretch"):
            _done(error_actions.reopen(store, record.key))
        name = st.text_input("Assigned to", value=record.assignee or "")
        if name != (record.assignee or ""):
            _done(error_actions.assign(store, record.key, name))
        others = {r.key: r.title for r in errors_data.records().values() if r.key != record.key}
        into = st.selectbox(
            "Count as", list(others), index=None, format_func=lambda k: f"{others[k][:50]} ({k[:9]})",
            placeholder="another group",
        )  # fmt: skip
        if st.button("Merge", icon=":material/merge:", disabled=into is None) and into:
            message = error_actions.merge(store, record.key, into)
            st.query_params["group"] = into
            _done(message)
        by = st.selectbox("Divide by", DIMENSIONS, index=None, placeholder="what differs")
        if st.button("Split", icon=":material/call_split:", disabled=by is None) and by:
            _done(error_actions.split(store, record.key, by))


def _history(record: GroupRecord) -> None:
    with st.container(border=True):
        st.markdown("**History**")
        for event in reversed(errors_data.history(record.key)[-20:]):
            by = f" by {event.by}" if event.by else ""
            note = f": {event.note}" if event.note else ""
            st.caption(f"{event.at:%d %b %H:%M} {event.state}{by}{note}")


def _done(message: str) -> None:
    st.toast(message)
    st.rerun()


main()
