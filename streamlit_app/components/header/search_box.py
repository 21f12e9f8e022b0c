"""Search over everything that has a name: type, and follow one of the links.

Here: the field and what was found. Not here: finding (`readings`).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import streamlit as st

from streamlit_app.components import markup
from streamlit_app.view import View

_KEY = "search-everything"
_MOST = 12
_SYMBOLS = {
    "component": "deployed_code", "route": "route", "model": "neurology", "error group": "bug_report",
    "trace": "account_tree", "alert": "notifications",
}  # fmt: skip


class Found(Protocol):
    """Something with a name: `kind` is a word, `key` opens it, `note` tells it from others."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def note(self) -> str: ...  # noqa: D102


Search = Callable[[str], Sequence[Found]]


def field() -> str:
    """The field; returns what was typed."""
    return st.text_input(
        "Search everything",
        key=_KEY,
        placeholder="Search  /",
        label_visibility="collapsed",
        width=170,
    ).strip()


def results(words: str, shown: View, search: Search) -> None:
    """What was found, as links; nothing while nothing was typed."""
    if not words:
        return
    found = list(search(words))
    with st.container(border=True, key="search-results"):
        st.html(listing(found, words, shown))
        st.button("Close", key="search-close", type="tertiary", on_click=_clear)


def listing(found: Sequence[Found], words: str, shown: View) -> str:
    """HTML of what was found; the first are the best."""
    if not found:
        return (
            f'<p class="tta-quiet">Nothing has a name like “{markup.text(words)}”. Components, routes, '
            "models, error groups, trace ids and alerts are looked through.</p>"
        )
    rows = "".join(
        f"<li>{markup.symbol(_SYMBOLS.get(one.kind, 'label'))} {markup.link(one.name, link(one, shown))}"
        f' <span class="tta-quiet">{markup.text(one.kind)} {markup.text(one.note)}</span></li>'
        for one in found[:_MOST]
    )
    return f'<ul class="tta-found">{rows}</ul>'


def link(one: Found, shown: View) -> str:
    """Where something with a name is shown."""
    plain = shown.but(component=None, route=None, model=None, search="")
    if one.kind == "component":
        return plain.link("performance", component=one.key)
    if one.kind == "route":
        return plain.link("performance", route=one.key)
    if one.kind == "model":
        return plain.link("ai_models", model=one.key)
    if one.kind == "error group":
        return plain.link("errors", group=one.key)
    if one.kind == "trace":
        return plain.link("traces", trace=one.key)
    return plain.link("alerts", alert=one.key)


def _clear() -> None:
    st.session_state[_KEY] = ""
