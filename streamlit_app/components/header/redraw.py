"""When a part of a page is drawn again: at the chosen rate, and only when something came.

Here: two fragments, one that looks and one that draws. Not here: the rate (`refresh`), whether something
came (`readings/arriving`). Looking costs a page 5 ms, drawing up to 200; a fragment that is run and draws
nothing would be emptied, therefore the one that looks is not the one that draws.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

from streamlit_app.components import address
from streamlit_app.components.header import refresh
from streamlit_app.readings.arriving import arrivals
from streamlit_app.view import View

_PARTS = "live parts"


@dataclass
class _Drawn:
    """What a part was drawn with, and the name of its fragment."""

    key: str
    mark: object = None


def begin() -> None:
    """A page begins: its live parts are counted from one."""
    st.session_state[_PARTS] = 0


def live(function: Callable[[View], None], shown: View, *, least_s: float = 0) -> None:
    """Draw a part, and again when something came, as long as the view's range ends now and nobody paused.

    The function gets the view moved to this moment. What it wrote into the address is followed at once.
    At least `least_s` seconds lie between.
    """
    place = st.session_state.get(_PARTS, 0) + 1
    st.session_state[_PARTS] = place
    part = _Drawn(f"live-{place}")
    st.fragment(_draw, key=part.key)(function, shown, part)
    rate_s = refresh.rate_s(shown)
    if rate_s:
        with st.container(key=f"watch-{place}"):
            st.fragment(_look, run_every=max(rate_s, least_s))(shown, part)


def _draw(function: Callable[[View], None], shown: View, part: _Drawn) -> None:
    if address.has_moved():
        st.rerun()
    part.mark = _mark(shown)
    function(shown.moved(address.now()))


def _look(shown: View, part: _Drawn) -> None:
    if _mark(shown) != part.mark:
        _run(part.key)


def _mark(shown: View) -> object:
    """Equal while a part would be drawn as it is: nothing came, and no time bucket began."""
    return arrivals.mark(), int(address.now().timestamp()) // max(shown.step_s(), 5)


def _run(key: str) -> None:
    """Run one fragment soon; Streamlit's own `st.rerun(key)` is for callbacks of widgets alone."""
    context = get_script_run_ctx()
    if context is None or context.script_requests is None:
        return
    context.script_requests.request_rerun(
        RerunData(
            query_string=context.query_string,
            page_script_hash=context.page_script_hash,
            fragment_id_queue=context.fragment_storage.resolve_target(key),
            cached_message_hashes=context.cached_message_hashes,
            context_info=context.context_info,
        )
    )
