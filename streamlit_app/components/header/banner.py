"""Unacknowledged critical alerts, one line for each cause, on every page.

Here: which of them share a cause, and drawing the lines. Not here: what an alert says (`alerts/cards`).
"""

from typing import Any

import streamlit as st

from streamlit_app.components import markup
from streamlit_app.components.alerts import cards
from streamlit_app.readings import source

_LINES = 3
Shown = dict[str, Any]


def causes(alerts: list[Shown]) -> list[list[Shown]]:
    """What waits for somebody, the alerts of one cause together, in the order given.

    One cause are alerts of one rule, and what names one of them as its cause.
    """
    waiting = [alert for alert in alerts if cards.is_waiting(alert)]
    rules = {alert["id"]: alert["rule"] for alert in waiting}
    found: dict[str, list[Shown]] = {}
    for alert in waiting:
        root = (alert.get("cause") or {}).get("id", "")
        found.setdefault(rules.get(root) or root or alert["rule"], []).append(alert)
    return list(found.values())


def draw() -> None:
    """The lines, or nothing; inside a fragment."""
    answer = source.alerts()
    waiting = causes(answer["alerts"]) if answer else []
    if not waiting:
        return
    with st.container(key="banners"):
        for place, together in enumerate(waiting[:_LINES]):
            _line(together, len(waiting) - _LINES if place == _LINES - 1 else 0)


def _line(together: list[Shown], hidden: int) -> None:
    first = together[0]
    key = f"banner-{first['id']}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key):
        st.html(_words(first, len(together) - 1))
        if hidden > 0:
            st.html(markup.link(f"and {hidden} more", "/alerts"), width="content")
        cards.runbook_popover(first)
        cards.acknowledge_button(first, "banner", also=[a["id"] for a in together[1:]])


def _words(alert: Shown, more: int) -> str:
    name = markup.link(alert["summary"] or alert["rule"], f"/alerts?alert={alert['id']}")
    also = f" and {more} more of it" if more else ""
    rest = f"{also} {cards.since_text(alert)}. {alert['effect'] or ''} {cards.next_plain(alert)}"
    words = f"{alert['summary'] or alert['rule']}{rest}"
    return (
        f'<div class="tta-banner" role="alert" title="{markup.text(words)}">{markup.symbol("error")} '
        f"<b>{name}</b>{markup.text(rest)}</div>"
    )
