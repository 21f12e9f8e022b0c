"""What is decided about an error group: buttons for who may, and what was decided before.

Here: the widgets. Not here: deciding (`actions/errors`).
"""

import streamlit as st

from ingestion.meaning.errors.group_states import GroupRecord
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.meaning.errors.hand_rules import DIMENSIONS
from privacy.access.access_policy import Right
from streamlit_app.actions import errors as error_actions
from streamlit_app.components import markup, panels, states
from streamlit_app.readings import errors as data
from streamlit_app.sign_in import permission

_WHO = "An administrator can give you the role developer or operator."
_MOST_EVENTS = 20


def decide(record: GroupRecord) -> None:
    """Resolve, mute, reopen, assign, merge, split."""
    store = data.store()
    if store is None:
        return
    with st.container(border=True):
        panels.heading("Decide")
        if not permission.may_read(Right.ACTION, "errors.change"):
            states.forbidden("decisions about errors", _WHO)
            return
        _status(store, record)
        name = st.text_input("Assigned to", value=record.assignee or "")
        if name != (record.assignee or ""):
            _done(error_actions.assign(store, record.key, name))
        _regroup(store, record)


def _status(store: ErrorStore, record: GroupRecord) -> None:
    release = st.text_input("Fixed in release", placeholder=record.last_version or "")
    one, two, three = st.columns(3)
    if one.button("Resolve", icon=":material/check:", type="primary", width="stretch"):
        _done(error_actions.resolve(store, record.key, release))
    if two.button("Mute", icon=":material/notifications_off:", width="stretch"):
        _done(error_actions.mute(store, record.key))
    if three.button("Reopen", icon=":material/undo:", width="stretch"):
        _done(error_actions.reopen(store, record.key))


def _regroup(store: ErrorStore, record: GroupRecord) -> None:
    with st.expander("Count differently"):
        others = {r.key: r.title for r in data.records().values() if r.key != record.key}
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


def history(record: GroupRecord) -> None:
    """What happened to the group, the newest first."""
    with st.container(border=True):
        panels.heading("History")
        rows = []
        for event in reversed(data.history(record.key)[-_MOST_EVENTS:]):
            by = f" by {event.by}" if event.by else ""
            note = f": {event.note}" if event.note else ""
            rows.append(
                f"<li>{markup.text(f'{event.at:%d %b %H:%M} UTC {event.state}{by}{note}')}</li>"
            )
        st.html(f'<ul class="tta-found tta-quiet">{"".join(rows)}</ul>')


def _done(message: str) -> None:
    st.toast(message)
    st.rerun()
