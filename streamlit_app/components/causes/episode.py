"""One alert with its life: what it says, its curve, what happened to it, who was told.

Here: the page of `?alert=ID`. Not here: many alerts (`cause`, `alert_table`), the life itself
(`live_tail/alerts`).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from streamlit_app.components import address, formats, markup, panels, states
from streamlit_app.components.alerts import cards, tree
from streamlit_app.components.causes import cause, curve, explain
from streamlit_app.components.causes.alert_table import alert_table
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.readings import alerts as data
from streamlit_app.view import View

Shown = dict[str, Any]
_CHART, _TRAIL = 200, 30
_WORDS: Mapping[str, str] = {
    "fired": "Began to fire", "reopened": "Fires again", "acknowledged": "Acknowledged",
    "resolved": "Resolved", "muted": "Muted", "unmuted": "No longer muted",
}  # fmt: skip
_LIFE = (
    Column("at", "When"),
    Column("what", "What happened"),
    Column("who", "By or to whom"),
    Column("how", "How it went"),
)


def episode(name: str, shown: View) -> None:
    """Draw the alert of an id, standing or over; inside a fragment."""
    answer = data.one(name)
    if not answer.told:
        states.failed(answer.problem)
        return
    alert: Shown = dict(answer.told)
    groups = tree.error_groups(alert)
    with st.container(border=True, key=f"episode-{alert['id']}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(cause.headline(alert, shown))
            cause.buttons(alert, "page")
        left, right = st.columns([5, 7], gap="medium")
        with left:
            st.html(cause.body(alert, groups, answer.told, shown))
        with right:
            curve.draw(alert, answer.told.get("curve"), shown, place="page", height=_CHART)
            way = explain.explains(alert, groups, shown, address.now())
            link = markup.link(way.words, way.address, kind="tta-way")
            st.html(f'<p class="tta-more">{link}</p>')
    with st.container(border=True):
        _life(alert, shown)
    _around(alert, shown)


def life_rows(alert: Shown, shown: View) -> pd.DataFrame:
    """at, what, who, how: its events and the messages about it, the oldest first."""
    # Each message stands for itself.
    events = [event for event in alert["events"] if event["kind"] != "notified"]
    found = [(event["at_us"], *_event(event, alert)) for event in events]
    found += [(one["created_us"], *_told(one)) for one in alert["told"]]
    found.sort(key=lambda row: row[0])
    today = shown.local(address.now())
    rows = [
        (_second(shown, formats.of_microseconds(us), today), what, who or None, how or None)
        for us, what, who, how in found
    ]
    return pd.DataFrame(rows, columns=pd.Index(["at", "what", "who", "how"]))


def _life(alert: Shown, shown: View) -> None:
    rows = life_rows(alert, shown)
    with panels.heading("Its life"):
        export_menu("life of an alert", rows, shown)
    if rows.empty:
        states.empty(
            "events of this alert", "They are written down from the moment it fires.", where=""
        )
        return
    ranked_table(
        rows, _LIFE, key="life", caption="What happened to this alert, the oldest first", most=50
    )


def _event(event: Shown, alert: Shown) -> tuple[str, str, str]:
    kind, by = event["kind"], event["by"]
    how = alert["reason"] if kind == "resolved" else alert["note"] if kind == "acknowledged" else ""
    by = cards.mute_words(by.split(", ")) if kind == "muted" else by
    return _WORDS.get(kind, kind.capitalize()), by, how


def _told(one: Shown) -> tuple[str, str, str]:
    attempts = f", {one['attempts']} attempts" if one["attempts"] > 1 else ""
    how = f"{one['state']}{attempts}" + (f": {one['error']}" if one["error"] else "")
    return "Told", one["channel"], how


def _second(shown: View, at: Any, today: Any) -> str:
    local = shown.local(at)
    day = "" if local.date() == today.date() else f"{local.day} {local:%b} "
    return f"{day}{local:%H:%M:%S}"


def _around(alert: Shown, shown: View) -> None:
    """What follows from it, and what it follows from."""
    standing = data.standing().told.get("alerts", [])
    below = [a for a in standing if (a.get("cause") or {}).get("id") == alert["id"]]
    if below:
        with st.container(border=True):
            tools = panels.heading("Follows from it, muted and recorded")
            rows = alert_table(below, shown, key="below")
            with tools:
                export_menu("consequences", rows, shown)
    above = alert.get("cause")
    if above:
        link = markup.link(above["summary"], shown.link("alerts", alert=above["id"]))
        st.html(f"<p>{markup.symbol('subdirectory_arrow_right')} A consequence of {link}.</p>")


def title_of(name: str) -> str:
    """What the trail calls an alert."""
    told = data.one(name).told
    return cards.name_of(dict(told))[:_TRAIL] if told else "unknown"
