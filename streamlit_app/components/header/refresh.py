"""How often a page that ends now is drawn again, and how old its data are.

Here: the interval and the pause, which belong to the person and not to the view; data ages in words. Not
here: drawing again (`redraw`).
"""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from privacy.access.access_policy import Right
from streamlit_app.components import address, formats, markup
from streamlit_app.readings import source
from streamlit_app.readings.arriving import arrivals
from streamlit_app.sign_in import permission
from streamlit_app.view import View

# The fastest is below two seconds, so that an event is on the page within two in 95 of 100 cases.
RATES: dict[str, float | None] = {"Off": None, "1.5 s": 1.5, "5 s": 5.0, "30 s": 30.0}
_FASTEST, _KEPT, _PAUSED = "1.5 s", "refresh rate", "is_paused"
_LONG = 180
"""Minutes from which on 1.5 s would change less than a pixel."""


def rate_s(shown: View) -> float | None:
    """Seconds between refreshes; None when the range does not move, while paused, or when off."""
    if not shown.ends_now or st.session_state.get(_PAUSED):
        return None
    return RATES[_rate(shown)]


def _rate(shown: View) -> str:
    usual = _FASTEST if shown.minutes <= _LONG else "30 s"
    return st.session_state.get(_KEPT) or usual


def refresh_picker(shown: View) -> None:
    """Interval and pause; neither for a range that does not move."""
    if not shown.ends_now:
        st.button(
            "Now", icon=":material/skip_next:", key="back-to-now", help="Show the last hour again",
            on_click=_to_now, args=(shown,),
        )  # fmt: skip
        return
    is_paused = bool(st.session_state.get(_PAUSED))
    with st.popover(
        "Paused" if is_paused else _rate(shown), icon=":material/autorenew:", help="Refresh every",
        key="pick-refresh",
    ):  # fmt: skip
        st.session_state["pick-rate"] = _rate(shown)
        st.pills("Refresh every", list(RATES), key="pick-rate", on_change=_pick)
    st.button(
        "",
        icon=":material/play_arrow:" if is_paused else ":material/pause:",
        key="pause",
        help="Go on" if is_paused else "Pause: stop refreshing this page",
        on_click=_turn,
    )


def _pick() -> None:
    st.session_state[_KEPT] = st.session_state["pick-rate"]
    st.session_state[_PAUSED] = False


def _turn() -> None:
    st.session_state[_PAUSED] = not st.session_state.get(_PAUSED)


def _to_now(shown: View) -> None:
    address.go(shown.but(label="1 h", end_at=address.now().replace(microsecond=0)))


def age_words(zone: str, built_at: Callable[[], datetime | None] | None = None) -> tuple[str, str]:
    """HTML: how old live data and marts are; and why they are not newer, empty when all is well."""
    words, why = _ages(built_at)
    symbol = markup.symbol("warning" if why else "schedule")
    told = " · ".join([*words, zone])
    hover = "Older than it should be" if why else "How old what is shown is"
    age = f'<div class="tta-age" title="{hover}">{symbol} {markup.text(told)}</div>'
    reason = markup.text(" · ".join(why))
    return age, f'<p class="tta-why" role="status" title="{reason}">{reason}</p>' if why else ""


def _ages(built_at: Callable[[], datetime | None] | None) -> tuple[list[str], list[str]]:
    """What is said, and what is wrong; only of sources that whoever looks may read."""
    if built_at is not None:
        age = formats.seconds_since(built_at(), address.now())
        return [f"marts {formats.age(age)}"], []
    may_read = permission.may_read(Right.AUDIENCE, source.AUDIENCE)
    if not (may_read and permission.may_read(Right.QUERY, "freshness")):
        return [], []
    ages = source.ages()
    words = [f"live {formats.age(ages.live_age_s)}", f"marts {formats.age(ages.marts_age_s)}"]
    wrong = [ages.problem, arrivals.receivers_problem(), *source.batch_problems()]
    return words, [problem for problem in wrong if problem]
