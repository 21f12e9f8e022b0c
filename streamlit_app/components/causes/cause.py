"""One cause as a card: what failed, since when, what to do, who knows, and its curve.

Here: drawing it. Not here: which alerts are one cause (`tree`), links (`explain`), buttons (`cards`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import address, formats, markup
from streamlit_app.components.alerts import cards, tree
from streamlit_app.components.causes import curve, explain
from streamlit_app.components.causes.alert_table import alert_table
from streamlit_app.readings import alerts as data
from streamlit_app.view import View

Shown = dict[str, Any]
_GROUPS = 5
_CHART = 118


def card(cause: tree.Cause, shown: View) -> None:
    """A bordered card; consequences and others of the rule are folded below it."""
    alert, detail = cause.first, data.one(cause.first["id"]).told
    groups = tree.error_groups(alert)
    with st.container(border=True, key=f"cause-{alert['id']}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(headline(alert, shown, others=len(cause.others)))
            buttons(alert, "card", also=cause.ids[1:])
        left, right = st.columns([7, 5], gap="medium")
        with left:
            st.html(body(alert, groups, detail, shown))
        with right:
            curve.draw(alert, detail.get("curve"), shown, place="card", height=_CHART)
            way = explain.explains(alert, groups, shown, address.now())
            st.html(f'<p class="tta-more">{_arrow(way)}</p>')
        if cause.others:
            _folded(f"{len(cause.others)} more of this rule", cause.others, shown, "others")
        if cause.consequences:
            count = len(cause.consequences)
            words = f"{count} consequence{'s' * (count != 1)} of this, muted and recorded"
            _folded(words, cause.consequences, shown, "below")


def headline(alert: Shown, shown: View, *, others: int = 0) -> str:
    """HTML: severity, what is wrong as a link to its page, state, since when."""
    name = markup.link(cards.name_of(alert), shown.link("alerts", alert=alert["id"]))
    more = f" and {others} more" if others else ""
    muted = f" · muted by {cards.mute_words(alert['muted_by'])}" if alert["muted_by"] else ""
    stands = f"{alert['state']} {since(alert, shown)}"
    return (
        f'<div class="tta-cause">{markup.pill(cards.STATES[alert["severity"]], alert["severity"])} '
        f"<h2>{name}{markup.text(more)}</h2> "
        f'<span class="tta-quiet">{markup.text(stands + muted)}</span></div>'
    )


def since(alert: Shown, shown: View) -> str:
    """`since 14:04 (3 min)`, of what is over `from 14:04 to 14:09`, by the page's clock."""
    begun = formats.of_iso(alert["fired_at"] or alert["started_at"])
    now = address.now()
    start = formats.clock(shown.local(begun), shown.local(now))
    if alert["state"] == "resolved" and alert["resolved_at"]:
        over = shown.local(formats.of_iso(alert["resolved_at"]))
        return f"from {start} to {formats.clock(over, shown.local(now))}"
    return f"since {start} ({formats.age((now - begun).total_seconds())})"


def buttons(alert: Shown, place: str, *, also: Sequence[str] = ()) -> None:
    """What whoever looks may do about it."""
    if alert["state"] == "resolved":
        return
    if alert["state"] == "firing":
        cards.acknowledge_button(alert, place, also=also)
    if not alert["muted_by"]:
        cards.silence_menu(alert, place)
    if alert["state"] != "pending":
        cards.resolve_button(alert, place)


def body(alert: Shown, groups: Sequence[Shown], detail: Mapping[str, Any], shown: View) -> str:
    """HTML: effect, what failed, the runbook with a link for each step, who was told and who is next."""
    labels = " · ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in alert["labels"] if value
    )
    about = " · ".join(part for part in (alert["rule"], labels) if part)
    effect = f"<p>{markup.text(alert['effect'])}</p>" if alert["effect"] else ""
    return (
        f'<div class="tta-told">{effect}<p class="tta-quiet">{markup.text(about)}</p>'
        f"{_failed(groups, shown)}{_steps(alert, groups, shown)}"
        f'<p class="tta-quiet">{who_knows(alert, detail, shown)}</p></div>'
    )


def _failed(groups: Sequence[Shown], shown: View) -> str:
    """The errors that it is about, each a link to its group."""
    if not groups:
        return ""
    items = "".join(_group(one, shown) for one in groups[:_GROUPS])
    more = len(groups) - _GROUPS
    rest = (
        f"<li>{markup.link(f'and {more} more error groups', shown.link('errors'))}</li>"
        if more > 0
        else ""
    )
    return f'<ul class="tta-found">{items}{rest}</ul>'


def _group(one: Shown, shown: View) -> str:
    place = f" in {one['place']}" if one["place"] else ""
    about = f"{place} · {one['count']:,} in the last hour"
    link = markup.link(one["error"], shown.link("errors", group=one["key"]))
    return f'<li>{markup.symbol("bug_report")} {link}<span class="tta-quiet">{markup.text(about)}</span></li>'


def _steps(alert: Shown, groups: Sequence[Shown], shown: View) -> str:
    """The runbook, each step with the view in which it is done."""
    now = address.now()
    items = [
        f"<li>{markup.text(text)} {_arrow(explain.step(text, alert, groups, shown, now))}</li>"
        for text in alert["runbook"]
    ]
    if alert["runbook_url"].startswith(("http://", "https://")):
        items.append(f"<li>{markup.link('Open the runbook', alert['runbook_url'])}</li>")
    return f'<ol class="tta-steps">{"".join(items)}</ol>' if items else ""


def _arrow(way: explain.Way) -> str:
    return markup.link(way.words, way.address, kind="tta-way")


def who_knows(alert: Shown, detail: Mapping[str, Any], shown: View) -> str:
    """HTML: acknowledged by whom, else who was told and who is next."""
    is_waiting = alert["state"] in {"pending", "firing"} and not alert["muted_by"]
    parts = [_messages(detail.get("told") or (), shown, is_waiting=is_waiting)]
    if alert["acknowledged_by"]:
        note = f": {alert['note']}" if alert["note"] else ""
        parts.append(f"Acknowledged by {alert['acknowledged_by']}{note}.")
    elif alert["state"] == "firing" and not alert["muted_by"]:
        parts.append(_next(alert, shown))
    return markup.text(" ".join(filter(None, parts)))


def _messages(told: Sequence[Shown], shown: View, *, is_waiting: bool) -> str:
    if not told:
        return "Nobody was told yet." if is_waiting else "Nobody was told."
    latest = {one["channel"]: one for one in told}
    return f"Told: {', '.join(message(one, shown) for one in latest.values())}."


def message(one: Shown, shown: View) -> str:
    """`hook at 12:04`, with how it went unless it arrived."""
    at = shown.local(formats.of_microseconds(one["created_us"]))
    how = "" if one["state"] == "delivered" else f" ({one['state']}{_error(one)})"
    return f"{one['channel']} at {formats.clock(at, shown.local(address.now()))}{how}"


def _error(one: Shown) -> str:
    return f": {one['error']}" if one["error"] else ""


def _next(alert: Shown, shown: View) -> str:
    step = alert.get("next")
    if not step:
        return "Nobody else will be told."
    at = formats.clock(shown.local(formats.of_iso(step["at"])), shown.local(address.now()))
    told = ", ".join(target.partition(":")[2] for target in step["notify"])
    return f"Next, unless acknowledged: {told} at {at}."


def _folded(words: str, alerts: Sequence[Shown], shown: View, key: str) -> None:
    with st.expander(words):
        alert_table(alerts, shown, key=f"{key}-{alerts[0]['id']}")
