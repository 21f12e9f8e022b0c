"""Search over everything that has a name: type, and follow one of the links.

Here: the field and what was found. Not here: finding (`readings`).
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from privacy.access.access_policy import Right
from streamlit_app.components import markup
from streamlit_app.readings import source
from streamlit_app.readings.arriving import tail
from streamlit_app.sign_in import permission
from streamlit_app.view import View

_KEY = "search-everything"
_MOST = 12
_SYMBOLS = {
    "component": "deployed_code", "route": "route", "model": "neurology", "error": "bug_report",
    "trace": "account_tree", "alert": "notifications",
}  # fmt: skip
_KINDS = {"error": "error group"}
Found = dict[str, Any]
"""kind, name, key (opens it), about (tells it from others), as `tail.search` has them."""


def may_search() -> bool:
    """Whether whoever looks sees what is searched."""
    may_ask = permission.may_read(Right.QUERY, "search")
    return may_ask and permission.may_read(Right.AUDIENCE, source.AUDIENCE)


def field() -> str:
    """The field; returns what was typed."""
    return st.text_input(
        "Search everything",
        key=_KEY,
        placeholder="Search  /",
        label_visibility="collapsed",
        width=170,
    ).strip()


def results(words: str, shown: View) -> None:
    """What was found, as links; nothing while nothing was typed."""
    if not words:
        return
    reading = tail.search(words, _MOST)
    with st.container(border=True, key="search-results"):
        if reading.problem:
            st.html(
                f'<p class="tta-quiet">Live data were not searched: {markup.text(reading.problem)}</p>'
            )
        st.html(listing(reading.frame.to_dict("records"), words, shown))
        st.button("Close", key="search-close", type="tertiary", on_click=_clear)


def listing(found: Sequence[Found], words: str, shown: View) -> str:
    """HTML of what was found; the first are the best."""
    if not found:
        return (
            f'<p class="tta-quiet">Nothing has a name like “{markup.text(words)}”. Components, routes, '
            "models, error groups, trace ids and alerts are looked through.</p>"
        )
    return f'<ul class="tta-found">{"".join(_one(one, shown) for one in found)}</ul>'


def _one(one: Found, shown: View) -> str:
    kind = one["kind"]
    symbol = markup.symbol(_SYMBOLS.get(kind, "label"))
    about = f"{_KINDS.get(kind, kind)} {one['about'] or ''}"
    opened = markup.link(one["name"], link(one, shown))
    return f'<li>{symbol} {opened} <span class="tta-quiet">{markup.text(about)}</span></li>'


def link(one: Found, shown: View) -> str:
    """Where something with a name is shown."""
    plain, key = shown.but(component=None, route=None, model=None, search=""), one["key"]
    if one["kind"] == "component":
        return plain.link("performance", component=key)
    if one["kind"] == "route":
        return plain.link("performance", route=key)
    if one["kind"] == "model":
        return plain.link("ai_models", model=key)
    if one["kind"] == "error":
        return plain.link("errors", group=key)
    if one["kind"] == "trace":
        return plain.link("traces", trace=key)
    return plain.link("alerts", alert=key)


def _clear() -> None:
    st.session_state[_KEY] = ""
