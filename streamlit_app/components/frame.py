"""The frame of every page: who may see it, critical alerts, and one row with all that a page depends on.

Here: `page`, the first line of each page, and `live`, which draws a part again while its range ends now.
Not here: the parts of the row (`header`), what is shown below it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from streamlit_app.components import address, markup
from streamlit_app.components.header import (
    banner,
    filter_bar,
    range_picker,
    redraw,
    refresh,
    saved_menu,
    search_box,
    style,
)
from streamlit_app.sign_in import permission
from streamlit_app.view import View

_PULSE_S = 2.0
Known = Mapping[str, Sequence[str]]


def page(
    name: str,
    title: str,
    *,
    filters: Sequence[str] = (),
    known: Known | Callable[[View], Known] | None = None,
    default_range: str = "1 h",
    trail: Sequence[tuple[str, str]] = (),
    help: str = "",
    has_range: bool = True,
    built_at: Callable[[], datetime | None] | None = None,
) -> View:
    """Go on only when the page may be seen; draw the frame, and return what the address asks to show.

    `filters` are fields of `View` (and `q`) that count here, `known` what they may be; `trail` are words and
    links from the page down to what it shows; `help` is Markdown; `built_at` says when the copy was
    made that the page reads, where it is not the operations copy.
    """
    permission.page(name)
    address.has_moved()
    redraw.begin()
    shown = address.view(default_range)
    style.install()
    above = st.container(key="frame-above")
    words, can_search = "", search_box.may_search()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="frame-head"):
        _title(title, trail)
        if can_search:
            words = search_box.field()
        age = st.empty()
        if has_range:
            _pickers(name, shown, filters, known)
        if help:
            _help(help)
    late = st.empty()
    search_box.results(words, shown)
    filter_bar.chips(shown, filters)
    for problem in shown.problems:
        st.html(
            f'<p class="tta-quiet" role="status">{markup.symbol("info")} {markup.text(problem)}</p>'
        )
    with above:
        st.fragment(_pulse, run_every=_PULSE_S)((age, late), shown.zone, built_at)
    return shown


def _pickers(
    name: str,
    shown: View,
    filters: Sequence[str],
    known: Known | Callable[[View], Known] | None,
) -> None:
    range_picker.range_picker(shown)
    range_picker.compare_picker(shown)
    if filters:
        filter_bar.filter_picker(shown, filters, known(shown) if callable(known) else known or {})
    refresh.refresh_picker(shown)
    saved_menu.saved_menu(name, shown)


def _help(words: str) -> None:
    with st.popover(
        "", icon=":material/help:", type="tertiary", help="About this page", key="help"
    ):
        st.markdown(words)


def _title(title: str, trail: Sequence[tuple[str, str]]) -> None:
    steps = "".join(
        f" / {markup.link(words, to) if to else markup.text(words)}" for words, to in trail
    )
    path = f'<nav aria-label="Where this is">{steps}</nav>' if trail else ""
    st.html(f'<div class="tta-title"><h1>{markup.text(title)}</h1>{path}</div>')


def _pulse(
    places: tuple[Any, Any], zone: str, built_at: Callable[[], datetime | None] | None
) -> None:
    """What stays true of every page while it is open: alerts that wait, and how old data are."""
    banner.draw()
    age, late = places
    words, why = refresh.age_words(zone, built_at)
    age.html(words, width="content")
    if why:
        late.html(why)
    else:
        late.empty()


def live(function: Callable[[View], None], shown: View, *, least_s: float = 0) -> None:
    """Draw a part, and again when something came, as long as its range ends now and nobody paused.

    The function gets the view moved to this moment. What it wrote into the address is followed at once.
    `least_s` is for parts in which rows would move away below a pointer: at least so many seconds between.
    """
    redraw.live(function, shown, least_s=least_s)
