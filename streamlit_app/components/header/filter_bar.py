"""Which part: filters in a popover, and those that are set as chips that can be taken away.

Here: the widgets, which write the address. Not here: what there is to choose from (a page's readings).
"""

from collections.abc import Mapping, Sequence

import streamlit as st

from streamlit_app.components import address
from streamlit_app.view import View

_TITLES = {"q": "Words"}


def filter_picker(shown: View, names: Sequence[str], known: Mapping[str, Sequence[str]]) -> None:
    """A button that says how many filters are set, and opens them; `q` asks for free words."""
    count = len(active(shown, names))
    label = f"Filters {count}" if count else "Filters"
    with st.popover(label, icon=":material/filter_alt:", help="Filters", key="pick-filters"):
        for name in names:
            _filter(shown, name, known.get(name, ()))
        if count:
            st.button("Remove all", key="filters-none", on_click=_remove, args=(shown, names))


def active(shown: View, names: Sequence[str]) -> dict[str, str]:
    """The filters that are set and count on this page."""
    return {name: value for name, value in shown.filters.items() if name in names}


def chips(shown: View, names: Sequence[str]) -> None:
    """One button for each filter that is set; it takes the filter away."""
    found = active(shown, names)
    if not found:
        return
    with st.container(horizontal=True, gap="small", key="frame-chips"):
        for name, value in found.items():
            st.button(
                f"{title(name)}: {value}",
                icon=":material/close:",
                key=f"chip-{name}",
                help=f"Remove the filter {title(name).lower()}",
                on_click=_remove,
                args=(shown, [name]),
            )


def title(name: str) -> str:
    """What people call a filter."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _filter(shown: View, name: str, known: Sequence[str]) -> None:
    key = f"filter-{name}"
    value = shown.filters.get(name)
    if name == "q":
        st.session_state[key] = value or ""
        st.text_input(title(name), key=key, on_change=_pick, args=(shown, name))
        return
    options = list(dict.fromkeys([*known, *([value] if value else [])]))
    st.session_state[key] = value
    st.selectbox(
        title(name),
        options,
        index=None,
        placeholder="any",
        accept_new_options=True,
        key=key,
        on_change=_pick,
        args=(shown, name),
    )


def _pick(shown: View, name: str) -> None:
    value = (st.session_state[f"filter-{name}"] or "").strip()
    address.go(_with(shown, {name: value or None}))


def _remove(shown: View, names: Sequence[str]) -> None:
    address.go(_with(shown, {name: None for name in active(shown, names)}))


def _with(shown: View, values: Mapping[str, str | None]) -> View:
    words = {"search" if name == "q" else name: value for name, value in values.items()}
    if "search" in words:
        words["search"] = words["search"] or ""
    return shown.but(**words)
