"""Alerts as people read them: what an alert says, its buttons and links.

Here: drawing alerts and sending what a button says. Not here: the banner (`header/banner`), the page
(`views/alerts`), what the buttons do (`live_tail/alerts`).
"""

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import streamlit as st

from live_tail.http.access import about
from live_tail.http.client import LiveUnavailable
from streamlit_app.components import formats
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

SYMBOLS = {
    "firing": ":material/error:",
    "acknowledged": ":material/visibility:",
    "pending": ":material/hourglass_top:",
    "resolved": ":material/check_circle:",
}


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
    """`since 12:04 UTC (3 min)`."""
    moment = datetime.fromisoformat(alert["fired_at"] or alert["started_at"])
    age = formats.age((datetime.now(UTC) - moment).total_seconds())
    return f"since {moment:%H:%M} UTC ({age})"


def next_text(alert: dict[str, Any]) -> str:
    """Who is told when, if nobody acknowledges, for Markdown."""
    return escaped(next_plain(alert))


def next_plain(alert: dict[str, Any]) -> str:
    """Who is told when, if nobody acknowledges."""
    step = alert.get("next")
    if not step:
        return "Nobody else will be told."
    moment = datetime.fromisoformat(step["at"])
    told = ", ".join(t.partition(":")[2] for t in step["notify"])
    return f"Unless acknowledged, {told} is told at {moment:%H:%M} UTC."


def runbook_popover(alert: dict[str, Any]) -> None:
    """All that the banner says, the action items, and the link to the runbook."""
    with st.popover("Runbook"):
        st.markdown(sentence(alert))
        for number, action in enumerate(alert["runbook"], start=1):
            st.markdown(f"{number}. {escaped(action)}")
        if not alert["runbook"]:
            st.caption("This rule names no action items.")
        if alert["runbook_url"].startswith(("http://", "https://")):
            st.link_button("Open", alert["runbook_url"])


def acknowledge_button(alert: dict[str, Any], place: str, *, also: Sequence[str] = ()) -> None:
    """Somebody looks at it, and at what belongs to the same cause."""
    if st.button("Acknowledge", key=f"ack-{place}-{alert['id']}", type="primary"):
        paths = [f"/api/v1/alerts/{name}/acknowledge" for name in [alert["id"], *also]]
        if all([sent(path) for path in paths]):
            st.rerun()


def resolve_button(alert: dict[str, Any]) -> None:
    """Closed by hand."""
    if st.button("Resolve", key=f"resolve-{alert['id']}"):
        act(f"/api/v1/alerts/{alert['id']}/resolve")


def act(path: str, **body: Any) -> bool:
    """Do it and draw again; says why when it cannot be done."""
    if not sent(path, **body):
        return False
    st.rerun()
    return True


def sent(path: str, **body: Any) -> bool:
    """Do it, without drawing again; says why when it cannot be done."""
    area = path.split("/")[3]
    try:
        with permission.acting(f"{area}.change", ValueError, **about(path)) as seen_by:
            source.client().post(path, acting_for=seen_by.id, **body)
    except (LiveUnavailable, ValueError) as problem:
        st.toast(str(problem), icon=":material/error:")
        return False
    return True


def group_link(key: str, words: str) -> str:
    """HTML of a link that opens an error group."""
    return link(words, f"/errors?group={quote(key, safe='')}")


def link(words: str, address: str) -> str:
    """HTML of a link within the app, in the same tab; the words are text, not Markdown."""
    # Entities: neither HTML nor Markdown reads anything into them.
    plain = "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in words)
    return f'<a href="{html.escape(address)}" target="_self">{plain}</a>'


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>$:#~" else c for c in text)
