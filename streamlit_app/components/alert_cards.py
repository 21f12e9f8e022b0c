"""Alerts as people read them: the banner of every page, cards with action items and buttons.

Here: drawing alerts and sending what a button says. Not here: the page (`views/alerts`), what the
buttons do (`live_tail/alerts`).
"""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from live_tail.access import about
from live_tail.client import LiveUnavailable
from privacy.access import Right
from streamlit_app import data, gate
from streamlit_app.components import formats

_REFRESH_S = 2.0
_SHOWN = 3
SYMBOLS = {
    "firing": ":material/error:",
    "acknowledged": ":material/visibility:",
    "pending": ":material/hourglass_top:",
    "resolved": ":material/check_circle:",
}


def banner() -> None:
    """Unacknowledged critical alerts; there is nothing to hide it with."""
    st.fragment(_banner, run_every=_REFRESH_S)()


def _banner() -> None:
    answer = data.alerts()
    if answer is None:
        return
    waiting = [a for a in answer["alerts"] if is_waiting(a)]
    for alert in waiting[:_SHOWN]:
        with st.container(key=f"banner-{alert['id']}"):
            # Wide enough for the words of the buttons in a window of 1,100 pixels.
            text, runbook, button = st.columns([5.5, 1.4, 1.8], vertical_alignment="center")
            with text:
                st.error(sentence(alert), icon=":material/error:")
            with runbook:
                runbook_popover(alert)
            with button:
                acknowledge_button(alert, "banner")
    if len(waiting) > _SHOWN:
        st.error(f"{len(waiting) - _SHOWN} more critical alerts wait on the Alerts page.")


def is_waiting(alert: dict[str, Any]) -> bool:
    """Critical, firing, neither acknowledged nor muted."""
    is_critical = alert["severity"] == "critical" and alert["state"] == "firing"
    return is_critical and not alert["muted_by"]


def sentence(alert: dict[str, Any]) -> str:
    """What is wrong, since when, who is affected, what happens next."""
    since = since_text(alert)
    effect = f" {escaped(alert['effect'])}" if alert["effect"] else ""
    return f"**{escaped(alert['summary'] or alert['rule'])}** {since}.{effect} {next_text(alert)}"


def since_text(alert: dict[str, Any]) -> str:
    """`since 12:04 (3 min)`, UTC."""
    moment = datetime.fromisoformat(alert["fired_at"] or alert["started_at"])
    age = formats.age((datetime.now(UTC) - moment).total_seconds())
    return f"since {moment:%H:%M} UTC ({age})"


def next_text(alert: dict[str, Any]) -> str:
    """Who is told when, if nobody acknowledges."""
    step = alert.get("next")
    if not step:
        return "Nobody else will be told."
    moment = datetime.fromisoformat(step["at"])
    told = ", ".join(escaped(t.partition(":")[2]) for t in step["notify"])
    return f"Next: {told} is told at {moment:%H:%M} UTC unless somebody acknowledges."


def runbook_popover(alert: dict[str, Any]) -> None:
    """The action items, and the link to the runbook."""
    with st.popover("Runbook", width="stretch"):
        for number, action in enumerate(alert["runbook"], start=1):
            st.markdown(f"{number}. {escaped(action)}")
        if not alert["runbook"]:
            st.caption("This rule names no action items.")
        if alert["runbook_url"].startswith(("http://", "https://")):
            st.link_button("Open", alert["runbook_url"])


def acknowledge_button(alert: dict[str, Any], place: str) -> None:
    """Somebody looks at it."""
    if st.button("Acknowledge", key=f"ack-{place}-{alert['id']}", type="primary", width="stretch"):
        act(f"/api/v1/alerts/{alert['id']}/acknowledge")


def resolve_button(alert: dict[str, Any]) -> None:
    """Closed by hand."""
    if st.button("Resolve", key=f"resolve-{alert['id']}", width="stretch"):
        act(f"/api/v1/alerts/{alert['id']}/resolve")


def act(path: str, **body: Any) -> bool:
    """Do it and draw again; says why when it cannot be done."""
    seen_by = gate.require_of_viewer(Right.ACTION, f"{path.split('/')[3]}.change", **about(path))
    try:
        data.client().post(path, acting_for=seen_by.id, **body)
    except (LiveUnavailable, ValueError) as problem:
        st.toast(str(problem), icon=":material/error:")
        return False
    st.rerun()
    return True


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>$:#~" else c for c in text)
