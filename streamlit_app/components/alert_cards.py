"""Alerts as people read them: the banner of every page, what an alert says, its buttons and links.

Here: drawing alerts and sending what a button says. Not here: the page (`views/alerts`), what the
buttons do (`live_tail/alerts`).
"""

import html
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import streamlit as st

from live_tail.http.access import about
from live_tail.http.client import LiveUnavailable
from streamlit_app.components import formats
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

_REFRESH_S = 2.0
SYMBOLS = {
    "firing": ":material/error:",
    "acknowledged": ":material/visibility:",
    "pending": ":material/hourglass_top:",
    "resolved": ":material/check_circle:",
}
# Two lines at most, whatever fires: on a screen a line for each of two causes, on a phone the words of
# the worst above its buttons. What does not fit is in the Runbook.
_STYLE = """
<style>
.st-key-banners { gap: 0.25rem; }
.st-key-banners [data-testid="stAlertContainer"] { padding: 0.3rem 0.7rem; }
.st-key-banners .stElementContainer:has([data-testid="stAlert"]) { flex: 1 1 0; min-width: 0; }
.st-key-banners [data-testid="stAlert"] p {
  margin: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.st-key-banners [data-testid="stAlert"] div { min-width: 0; }
.st-key-banners button { min-height: 2rem; padding: 0.1rem 0.7rem; white-space: nowrap; }
.st-key-banners .stMarkdown p { margin: 0; white-space: nowrap; }
.st-key-banner-more-phone { display: none; }
@media (max-width: 640px) {
  .st-key-banner-first { flex-wrap: wrap; }
  .st-key-banner-first > .stElementContainer:has([data-testid="stAlert"]) { flex-basis: 100%; }
  .st-key-banner-second { display: none; }
  .st-key-banner-more-phone { display: flex; }
}
</style>
"""


def banner() -> None:
    """Unacknowledged critical alerts; there is nothing to hide it with."""
    st.fragment(_banner, run_every=_REFRESH_S)()


def _banner() -> None:
    answer = source.alerts()
    waiting = [a for a in answer["alerts"] if is_waiting(a)] if answer else []
    if not waiting:
        return
    st.html(_STYLE)
    with st.container(key="banners"):
        with _line("first"):
            _words(waiting[0])
            if len(waiting) > 1:
                with st.container(key="banner-more-phone", width="content"):
                    _more(len(waiting) - 1)
            _buttons(waiting[0])
        if len(waiting) > 1:
            with _line("second"):
                _words(waiting[1])
                if len(waiting) > 2:
                    _more(len(waiting) - 2)
                _buttons(waiting[1])


def _line(name: str) -> Any:
    return st.container(
        key=f"banner-{name}", horizontal=True, wrap=False, vertical_alignment="center", gap="small"
    )


def _words(alert: dict[str, Any]) -> None:
    st.error(sentence(alert), icon=":material/error:")


def _buttons(alert: dict[str, Any]) -> None:
    runbook_popover(alert)
    acknowledge_button(alert, "banner")


def _more(count: int) -> None:
    st.markdown(link(f"and {count} more", "/alerts"), unsafe_allow_html=True, width="content")


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
    """Who is told when, if nobody acknowledges."""
    step = alert.get("next")
    if not step:
        return "Nobody else will be told."
    moment = datetime.fromisoformat(step["at"])
    told = ", ".join(escaped(t.partition(":")[2]) for t in step["notify"])
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


def acknowledge_button(alert: dict[str, Any], place: str) -> None:
    """Somebody looks at it."""
    if st.button("Acknowledge", key=f"ack-{place}-{alert['id']}", type="primary"):
        act(f"/api/v1/alerts/{alert['id']}/acknowledge")


def resolve_button(alert: dict[str, Any]) -> None:
    """Closed by hand."""
    if st.button("Resolve", key=f"resolve-{alert['id']}"):
        act(f"/api/v1/alerts/{alert['id']}/resolve")


def act(path: str, **body: Any) -> bool:
    """Do it and draw again; says why when it cannot be done."""
    area = path.split("/")[3]
    try:
        with permission.acting(f"{area}.change", ValueError, **about(path)) as seen_by:
            source.client().post(path, acting_for=seen_by.id, **body)
    except (LiveUnavailable, ValueError) as problem:
        st.toast(str(problem), icon=":material/error:")
        return False
    st.rerun()
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
