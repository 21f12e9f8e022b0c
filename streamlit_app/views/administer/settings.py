"""Settings: what is in force, where it comes from, what is wrong with it, and changing a section."""

import pandas as pd
import streamlit as st

from ingestion.settings import SettingsProblem
from ingestion.settings.changing import origins, section_text
from live_tail.alerts.desk.site_files import SITE_FILES, wrong_files
from streamlit_app.actions import configuration
from streamlit_app.components import address, frame, markup, panels, states
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.ranked_table import Column, Row, ranked_table
from streamlit_app.readings import source
from streamlit_app.view import View

_HELP = """
The settings with which this app began, and where each value stands. A variable goes before the file, the file
before the default. Secrets are told by their number alone. An admin changes one section at a time: it is
checked as a whole before it is written, and leaves an audit entry.
"""
_ALL = "all"
_COLUMNS = (
    Column("name", "Setting", hover=lambda row: row["meaning"]),
    Column("value", "Value"),
    Column("origin", "From"),
    Column("place", "Where"),
    Column("default", "Default"),
    Column("meaning", "Meaning"),
)


def main() -> None:
    """Draw the page."""
    shown = frame.page("settings", "Settings", has_range=False, help=_HELP)
    _files()
    section = address.details().get("part", _ALL)
    if section not in section_text.SECTIONS:
        with st.container(border=True):
            _in_force(_ALL, shown)
        return
    left, right = st.columns([3, 2])
    with left, st.container(border=True):
        _in_force(section, shown)
    with right, st.container(border=True):
        _change(section)


def _files() -> None:
    """Each file of the home: taken, not there, or why not."""
    settings = source.settings()
    wrong = wrong_files(settings)
    told = []
    for name, file in SITE_FILES.items():
        is_there = any(path.exists() for path in file.paths(settings))
        state = "critical" if name in wrong else "ok" if is_there else "unknown"
        words = "not taken" if name in wrong else "in force" if is_there else "none"
        told.append(f"<span><b>{markup.text(name)}</b> {markup.pill(state, words)}</span>")
    why = "".join(
        f'<p role="alert"><b>{markup.text(name)}</b> {markup.text(problem)}</p>'
        for name, problem in wrong.items()
    )
    st.html(f'<div class="tta-files">{"".join(told)}</div>{why}')


def _in_force(section: str, shown: View) -> None:
    found = [s for s in origins.in_force(source.settings()) if section in {_ALL, s.section}]
    rows = pd.DataFrame([vars(one) for one in found])
    with panels.heading("In force"):
        st.session_state["settings-section"] = section
        st.selectbox(
            "Section",
            [_ALL, *section_text.SECTIONS],
            key="settings-section",
            label_visibility="collapsed",
            width=160,
            on_change=_picked,
        )
        export_menu("settings", rows, shown)
    if section == _ALL:
        # What somebody set stands before what nobody touched.
        rows = rows.sort_values("origin", key=lambda o: o == "default", kind="stable")
        st.caption("A row, or the choice above, opens a section and what may be changed in it.")
    columns = _COLUMNS if section == _ALL else _COLUMNS[:-1]
    ranked_table(rows, columns, key="settings", caption="Settings in force", link=_linked, most=25)


def _linked(row: Row) -> str:
    return address.here(part=str(row["name"]).partition(".")[0])


def _picked() -> None:
    chosen = st.session_state["settings-section"]
    address.go(address.view(), part=None if chosen == _ALL else chosen)


def _change(section: str) -> None:
    panels.heading(f"Change {section}")
    if not configuration.may_change():
        states.forbidden("changing settings", "An admin may: ask one, or read on.")
        return
    try:
        text = section_text.section_text(source.settings().home, section)
    except SettingsProblem as problem:
        states.failed(str(problem))
        return
    _editor(section, text)


def _editor(section: str, text: str) -> None:
    with st.form("settings-change", border=False):
        typed = st.text_area(
            f"{section} in config.yaml", text, height=220, key=f"settings-text-{section}",
            help=f"YAML. A secret that stays {section_text.KEPT} is kept as it is.",
        )  # fmt: skip
        with st.container(horizontal=True):
            is_checked = st.form_submit_button("Check", icon=":material/rule:")
            is_saved = st.form_submit_button("Save", type="primary", icon=":material/save:")
    if is_saved:
        _save(section, typed)
    elif is_checked:
        problem = configuration.check(section, typed)
        if problem:
            states.failed(problem)
        else:
            st.success(f"It would be taken. {configuration.restart_words(section)}")


def _save(section: str, typed: str) -> None:
    try:
        done = configuration.save(section, typed)
    except SettingsProblem as problem:
        states.failed(str(problem))
    else:
        st.success(f"Saved. {done}")


main()
