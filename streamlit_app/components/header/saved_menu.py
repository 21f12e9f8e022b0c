"""The menu of kept views and notes: open, keep, share, remove; notes as marks on charts.

Here: the widgets. Not here: rights and tables (`actions/saved`, `streamlit_app/saved`).
"""

from collections.abc import Callable
from functools import partial

import streamlit as st

from dagster_project.reporting.charts import Mark
from streamlit_app.actions import saved
from streamlit_app.components import address, markup
from streamlit_app.readings import releases
from streamlit_app.saved import SavedProblem
from streamlit_app.view import View, iso, moment

_WIDTH = 340


def saved_menu(name: str, shown: View) -> None:
    """A button that opens it; nothing for roles that keep nothing."""
    if not saved.may(saved.KEEP):
        return
    with (
        st.popover(
            "", icon=":material/bookmark:", type="tertiary", help="Saved views", key="saved"
        ),
        st.container(width=_WIDTH),
    ):
        _list()
        _keep(name)
        if saved.may(saved.ANNOTATE):
            _notes(shown)


def marks(shown: View) -> list[Mark]:
    """What happened in the range, for a chart's `marks`: releases, and what people noted."""
    heard = releases.marks(shown)
    notes = saved.annotations(shown.start_at, shown.end_at)
    return [
        *(
            Mark(at.to_pydatetime(), label)
            for at, label in zip(heard["at"], heard["label"], strict=True)
        ),
        *(Mark(note.at, note.words) for note in notes),
    ]


def _list() -> None:
    known = saved.views()
    if not known:
        st.html('<p class="tta-quiet">No view is saved yet.</p>')
    for one in known:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            link = markup.link(one.name, f"/{one.page}?{one.query}")
            whose = ' <span class="tta-quiet">shared</span>' if one.is_shared else ""
            st.html(f"{link}{whose}")
            st.button(
                "", icon=":material/delete:", type="tertiary", key=f"forget-{one.id}",
                help=f"Remove {one.name}", on_click=_click, args=(partial(saved.forget_view, one),),
            )  # fmt: skip


def _keep(page: str) -> None:
    with st.form("keep-view", clear_on_submit=True, border=False):
        name = st.text_input("Save this view as", max_chars=120)
        is_shared = saved.may(saved.SHARE) and st.checkbox("Everybody sees it")
        if st.form_submit_button("Save") and _told(
            lambda: saved.keep_view(
                name, page, st.query_params.to_dict(), is_shared=bool(is_shared)
            )
        ):
            st.rerun()


def _notes(shown: View) -> None:
    usual = st.query_params.get("at") or iso(min(shown.end_at, address.now()))
    with st.form("annotate", clear_on_submit=True, border=False):
        words = st.text_input("Note on the charts", max_chars=120, placeholder="cache was resized")
        when = st.text_input("At (UTC)", usual)
        if st.form_submit_button("Add") and _told(lambda: _annotate(when, words)):
            st.rerun()
    for note in saved.annotations(shown.start_at, shown.end_at):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(
                f'<span class="tta-quiet">{shown.local(note.at):%d %b %H:%M}</span> {markup.text(note.words)}'
            )
            st.button(
                "", icon=":material/delete:", type="tertiary", key=f"forget-{note.id}",
                help=f"Remove {note.words}",
                on_click=_click, args=(partial(saved.forget_annotation, note),),
            )  # fmt: skip


def _annotate(when: str, words: str) -> str:
    at = moment(when)
    if at is None:
        raise SavedProblem("the time has no zone: write it as 2026-03-01T12:00:00Z.")
    return saved.annotate(at, words)


def _click(act: Callable[[], str]) -> None:
    _told(act)


def _told(act: Callable[[], str]) -> bool:
    """Do it, and say what happened or why not."""
    try:
        st.toast(act())
    except ValueError as problem:
        st.toast(str(problem).capitalize(), icon=":material/error:")
        return False
    return True
