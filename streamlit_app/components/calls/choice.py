"""One of a few ways to look at something, as a row of buttons whose choice stands in the address.

Here: the widget. Not here: what is drawn then.
"""

from collections.abc import Mapping

import streamlit as st

from streamlit_app.components import address
from streamlit_app.view import View


def choice(name: str, options: Mapping[str, str], view: View) -> str:
    """The chosen key of `options` (keys by what stands on the button); the first until somebody chooses.

    `name` is the parameter of the address.
    """
    first = next(iter(options))
    wanted = st.query_params.get(name, first)
    chosen = wanted if wanted in options else first
    key = f"choice-{name}"
    st.session_state[key] = chosen

    def picked() -> None:
        now = st.session_state[key]
        # A click on the chosen one takes it away: that is no choice.
        address.go(view, **{name: None if now in {None, first} else now})

    st.segmented_control(
        "Show", list(options), format_func=options.__getitem__, key=key, on_change=picked,
        label_visibility="collapsed",
    )  # fmt: skip
    return chosen
