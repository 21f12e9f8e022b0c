"""Choices that a list of events has beside the frame's filters: words to look for, one of a few kinds.

Here: widgets that write the address. Not here: filters that many pages share (`header/filter_bar`).
"""

from collections.abc import Mapping

import streamlit as st

from streamlit_app.components import address
from streamlit_app.view import View

_ALL = "All"


def words_field(shown: View, what: str) -> None:
    """A field for the words that what is listed must hold; what is typed becomes `q`."""
    key = "words-here"
    st.session_state[key] = shown.search
    st.text_input(
        what, key=key, placeholder=what, label_visibility="collapsed", width=260,
        on_change=_search, args=(shown, key),
    )  # fmt: skip


def severity(shown: View, known: Mapping[str, str]) -> None:
    """One severity or all of them: `known` has words by value of the view's `severity`."""
    key = "severity-here"
    st.session_state[key] = known.get(shown.severity or "", _ALL)
    st.segmented_control(
        "Severity", [_ALL, *known.values()], key=key, label_visibility="collapsed",
        on_change=_pick_severity, args=(shown, key, known),
    )  # fmt: skip


def detail(shown: View, name: str, title: str, known: Mapping[str, str]) -> str | None:
    """One of a few values of the address's `name`, or None for all; `known` has words by value."""
    key = f"{name}-here"
    chosen = address.details().get(name)
    st.session_state[key] = known.get(chosen or "", _ALL)
    st.segmented_control(
        title, [_ALL, *known.values()], key=key, label_visibility="collapsed",
        on_change=_pick_detail, args=(shown, name, key, known),
    )  # fmt: skip
    return chosen if chosen in known else None


def _search(shown: View, key: str) -> None:
    address.go(shown.but(search=(st.session_state[key] or "").strip()))


def _pick_severity(shown: View, key: str, known: Mapping[str, str]) -> None:
    address.go(shown.but(severity=_value(known, st.session_state[key])))


def _pick_detail(shown: View, name: str, key: str, known: Mapping[str, str]) -> None:
    address.go(shown, **{name: _value(known, st.session_state[key])})


def _value(known: Mapping[str, str], words: str | None) -> str | None:
    return next((value for value, name in known.items() if name == words), None)
