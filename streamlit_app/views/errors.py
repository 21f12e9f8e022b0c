"""Errors: which groups there are, worst first, and one group with all that is known of it."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from ingestion.meaning.errors.group_states import GroupRecord, State
from ingestion.meaning.errors.hand_rules import DIMENSIONS
from streamlit_app.actions import errors as error_actions
from streamlit_app.components import drawing, formats, frame, tables
from streamlit_app.readings import errors as errors_data
from streamlit_app.readings import live_and_marts
from streamlit_app.sign_in import permission

_SYMBOLS = {
    State.REGRESSED: "✖",
    State.ESCALATING: "▲",
    State.NEW: "●",
    State.ONGOING: "○",
    State.MUTED: "–",  # noqa: RUF001 - a dash, as for what is not told
    State.RESOLVED: "✓",
}
_ORDER = list(_SYMBOLS)
_ALL = "All states"


def main() -> None:
    """Draw the list, or the group that the address names."""
    permission.page("errors")
    minutes = frame.title_row("Errors")
    frame.data_age()
    key = st.query_params.get("group")
    if key:
        _group(key, minutes)
    else:
        _list(minutes)


def _list(minutes: int) -> None:
    known = errors_data.records()
    left, middle, right = st.columns([2, 2, 4], vertical_alignment="center")
    with left:
        component = frame.component_filter(
            sorted({name for r in known.values() for name in r.components})
        )
    options = [_ALL, *(s.value for s in _ORDER)]
    state = middle.selectbox("State", options, label_visibility="collapsed")
    words = right.text_input(
        "Search", placeholder="Search titles and places", label_visibility="collapsed"
    )
    reading = errors_data.groups(minutes, component)
    if frame.problem(reading):
        return
    if reading.frame.empty:
        frame.nothing_yet("errors")
        return
    shown = group_table(reading.frame, known, errors_data.trend(minutes), datetime.now(UTC))
    shown = filtered(shown, state, words)
    if shown.empty:
        st.caption("No group matches: widen the state or the search.")
        return
    chosen = tables.opened(
        shown.drop(columns=["group_key", "rank"]),
        list(shown["group_key"]),
        key="error groups",
        column_config={
            "state": st.column_config.TextColumn("State", width="small"),
            "title": st.column_config.TextColumn("Error", width="medium"),
            "errors": st.column_config.NumberColumn("Errors", format="%d", width="small"),
            "trend": st.column_config.LineChartColumn("Trend", width="small", y_min=0),
            "place": st.column_config.TextColumn("Where", width="medium"),
            "components": st.column_config.TextColumn("Components", width="medium"),
            "sessions": st.column_config.NumberColumn(
                "Sessions", format="%d", help="Affected sessions; not shown below ten."
            ),
            "seen": st.column_config.TextColumn("Last seen", width="small"),
        },
    )
    if chosen:
        st.query_params["group"] = chosen
        st.rerun()


def group_table(
    groups: pd.DataFrame, known: dict[str, GroupRecord], trend: pd.DataFrame, now: datetime
) -> pd.DataFrame:
    """The rows people see, worst state first, then by count."""
    moment = now.replace(tzinfo=None)
    states = [known[k].state(moment) if k in known else State.ONGOING for k in groups["group_key"]]
    lines = _sparklines(trend)
    table = pd.DataFrame(
        {
            "group_key": groups["group_key"],
            "rank": [_ORDER.index(s) for s in states],
            "state": [f"{_SYMBOLS[s]} {s}" for s in states],
            "title": groups["title"],
            "errors": groups["error_count"],
            "trend": [lines.get(k, []) for k in groups["group_key"]],
            "place": groups["culprit"].replace("", formats.NOT_MEASURED),
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
        keep &= table["state"].str.endswith(state)
    for word in words.lower().split():
        text = (table["title"] + " " + table["place"]).str.lower()
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


def _group(key: str, minutes: int) -> None:
    if st.button("All errors", icon=":material/arrow_back:", type="tertiary"):
        st.query_params.pop("group")
        st.rerun()
    record = errors_data.record(key)
    if record is None:
        st.info("This group is not known here: it was merged, or no live tail has seen it.")
        return
    st.markdown(f"#### {record.title}")
    state = record.state(errors_data.now())
    st.caption(
        f"{_SYMBOLS[state]} {state} · {record.key} · {record.culprit or 'no frame of our own'}"
    )
    _numbers(record, minutes)
    left, right = st.columns([3, 2])
    with left:
        _trend(record, minutes)
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
    for column, (label, value) in zip(st.columns(len(cards)), cards, strict=True):
        note = "Shown from ten sessions on." if label == "Affected sessions" else None
        column.metric(label, value, border=True, help=note)


def _trend(record: GroupRecord, minutes: int) -> None:
    with st.container(border=True):
        st.markdown("**Errors over time**")
        trend = errors_data.trend(minutes, record.key)
        if trend.empty:
            frame.nothing_yet("errors of this group")
            return
        counted = errors_data.counted(trend, live_and_marts.step_s(minutes), datetime.now(UTC))
        drawing.lines_over_time(
            counted, value="error_count", series="series", unit="errors", height=150
        )


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
        if frame.problem(reading):
            return
        if reading.frame.empty:
            frame.nothing_yet("errors of this group")
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
