"""Alerts: what fires first, what to do about it, who looks at it; silences, on-call, channels."""

from typing import Any

import pandas as pd
import streamlit as st

from live_tail.http.client import LiveUnavailable
from streamlit_app.components import formats, frame, states
from streamlit_app.components.alerts import cards as alert_cards
from streamlit_app.components.alerts import tree as alert_tree
from streamlit_app.readings import source
from streamlit_app.view import View

_CARDS, _GROUPS = 20, 5
_HELP = """
What fires stands first, with what to do about it and who is told next; consequences stand below their
cause. Below: silences, who is on call, channels, and what is over.
"""
_DURATIONS = {"30 min": "30m", "1 h": "1h", "4 h": "4h", "1 d": "1d", "7 d": "7d"}


def main() -> None:
    """Draw the page."""
    shown = frame.page("alerts", "Alerts", help=_HELP)
    frame.live(_live_part, shown)
    silences, told, past = st.tabs(["Silences", "On call and channels", "History"])
    with silences:
        _silences()
    with told:
        _told()
    with past:
        _history()


def _live_part(_: View) -> None:
    answer = source.alerts()
    if answer is None:
        states.failed("The live tail does not answer: run ./tta.sh monitor up.")
        return
    if answer["problem"]:
        st.warning(answer["problem"], icon=":material/rule_settings:")
    alerts = answer["alerts"]
    wanted = st.query_params.get("alert")
    if wanted and all(a["id"] != wanted for a in alerts):
        st.caption(f"Alert {alert_cards.escaped(wanted[:40])} is over: see History.")
    if not alerts:
        st.caption("Nothing fires. An alert shows here as soon as the condition of a rule holds.")
    cards, below = alert_tree.arranged(alerts, wanted)
    for alert in cards[:_CARDS]:
        _card(alert, below.pop(alert["id"], []))
    if len(cards) > _CARDS:
        _table(cards[_CARDS:])
    for consequences in below.values():
        _aftermath(consequences)
    for rule, why in answer["unjudged"].items():
        st.caption(alert_cards.escaped(f"Not judged: {rule}: {why}"))


def _card(alert: dict[str, Any], consequences: list[dict[str, Any]]) -> None:
    with st.container(border=True):
        text, buttons = st.columns([5, 2])
        with text:
            _said(alert)
        with buttons:
            with st.container(horizontal=True, gap="small"):
                if alert["state"] == "firing":
                    alert_cards.acknowledge_button(alert, "card")
                if alert["state"] != "pending":
                    alert_cards.resolve_button(alert)
            values = alert_tree.telling(alert["values"])
            if values:
                st.line_chart(values, height=70)
        if consequences:
            with st.expander(f"{_count(consequences)} of this, muted and recorded"):
                _table(consequences)


def _said(alert: dict[str, Any]) -> None:
    colour = "red" if alert["severity"] == "critical" else "orange"
    muted = " · muted" if alert["muted_by"] else ""
    symbol = alert_cards.SYMBOLS[alert["state"]]
    name = alert_cards.escaped(alert["summary"] or alert["rule"])
    st.markdown(f"{symbol} **:{colour}[{alert['severity']}]** {name}")
    value = "" if alert.get("groups") else f" · value {formats.number(alert['value'])}"
    st.caption(
        f"{alert['state']}{muted} {alert_cards.since_text(alert)} · "
        f"{alert_cards.escaped(alert['rule'])} · {_labels(alert)}{value}"
    )
    if alert["effect"]:
        st.markdown(alert_cards.escaped(alert["effect"]))
    _groups(alert)
    for number, action in enumerate(alert["runbook"], start=1):
        st.markdown(f"{number}. {alert_cards.escaped(action)}")
    if alert["acknowledged_by"]:
        note = f": {alert['note']}" if alert["note"] else ""
        st.caption(alert_cards.escaped(f"Acknowledged by {alert['acknowledged_by']}{note}"))
    elif alert["state"] == "firing":
        st.caption(alert_cards.next_text(alert))


def _groups(alert: dict[str, Any]) -> None:
    """The errors that the alert is about, each a link to its group."""
    known = alert_tree.error_groups(alert)
    for one in known[:_GROUPS]:
        name = alert_cards.group_link(one["key"], one["error"])
        place = f" in {one['place']}" if one["place"] else ""
        about = alert_cards.escaped(f"{place} · {one['count']:,} in the last hour")
        st.markdown(f"Error group {name}{about}", unsafe_allow_html=True)
    if len(known) > _GROUPS:
        more = alert_cards.link(f"and {len(known) - _GROUPS} more error groups", "/errors")
        st.markdown(more, unsafe_allow_html=True)


def _aftermath(consequences: list[dict[str, Any]]) -> None:
    """Alerts of something that is over: they end by themselves, or are told when they do not."""
    cause = consequences[0]["cause"]
    over = f", over since {cause['resolved_at'][11:16]} UTC" if cause["resolved_at"] else ""
    title = f"{_count(consequences)} of “{cause['summary']}”{over}: muted while they end"
    with st.expander(alert_cards.escaped(title)):
        _table(consequences)


def _count(consequences: list[dict[str, Any]]) -> str:
    return f"{len(consequences)} consequence" + "s" * (len(consequences) != 1)


def _labels(alert: dict[str, Any]) -> str:
    return alert_cards.escaped(" ".join(f"{k}={v}" for k, v in alert["labels"] if v)) or "no labels"


def _table(alerts: list[dict[str, Any]]) -> None:
    rows = [
        {
            "State": a["state"],
            "Severity": a["severity"],
            "Alert": a["summary"] or a["rule"],
            "Rule": a["rule"],
            "Labels": " ".join(f"{k}={v}" for k, v in a["labels"] if v),
            "Since": (a["fired_at"] or a["started_at"])[:19].replace("T", " "),
            "Until": (a["resolved_at"] or "")[:19].replace("T", " ") or formats.NOT_MEASURED,
            "Reason": a["reason"] or formats.NOT_MEASURED,
            "Acknowledged by": a["acknowledged_by"] or formats.NOT_MEASURED,
        }
        for a in alerts
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _silences() -> None:
    text = st.text_input(
        "Matchers, separated by commas", placeholder='component="api", severity="warning"'
    )
    matchers = [m.strip() for m in text.split(",") if m.strip()]
    left, middle, right = st.columns([2, 4, 2], vertical_alignment="bottom")
    chosen = left.selectbox("For", list(_DURATIONS), index=1)
    comment = middle.text_input("Comment", help="Kept as a skeleton: names and numbers are masked.")
    if matchers:
        _preview(matchers)
    if right.button("Silence", disabled=not matchers, width="stretch"):
        duration = _DURATIONS[chosen or "1 h"]
        alert_cards.act("/api/v1/silences", matchers=matchers, duration=duration, comment=comment)
    answer = source.alerts()
    for silence in answer["silences"] if answer else []:
        words, button = st.columns([6, 1], vertical_alignment="center")
        what = f"{', '.join(silence['matchers'])} until {silence['ends_at'][:16]} UTC"
        words.markdown(
            alert_cards.escaped(f"{what} · {silence['created_by']} {silence['comment']}")
        )
        if button.button("End", key=f"end-{silence['id']}"):
            alert_cards.act(f"/api/v1/silences/{silence['id']}/end")
    if answer and not answer["silences"]:
        st.caption("Nothing is silenced.")


def _preview(matchers: list[str]) -> None:
    try:
        found = source.client().get("/api/v1/alerts/preview", matcher=matchers)
    except (LiveUnavailable, ValueError) as problem:
        st.warning(alert_cards.escaped(str(problem)))
        return
    st.caption(f"Matches {found['count']} now.")


def _told() -> None:
    answer = source.alerts()
    if answer is None:
        return
    if not answer["on_call"]:
        st.caption("No schedule: add `schedules` to alerting.yaml.")
    for row in answer["on_call"]:
        until = row["next_handover_at"][:16].replace("T", " ")
        st.markdown(alert_cards.escaped(f"{row['schedule']}: {row['member']} until {until} UTC"))
    for channel in answer["channels"]:
        words, button = st.columns([6, 1], vertical_alignment="center")
        failing = channel["failures"]
        state = f"failing, {failing} attempts: {channel['error']}" if failing else "no failure"
        words.markdown(alert_cards.escaped(f"{channel['name']} ({channel['type']}): {state}"))
        if button.button("Test", key=f"test-{channel['name']}"):
            alert_cards.act(f"/api/v1/channels/{channel['name']}/test")
    _deliveries()


def _deliveries() -> None:
    try:
        log = source.client().get("/api/v1/deliveries", limit=50)["deliveries"]
    except LiveUnavailable:
        return
    if not log:
        st.caption("Nothing was sent yet.")
        return
    table = pd.DataFrame(log)[["created_us", "channel", "state", "attempts", "error"]]
    table["created_us"] = pd.to_datetime(table["created_us"], unit="us", utc=True)
    table.columns = ["At (UTC)", "Channel", "State", "Attempts", "Error"]
    st.dataframe(table, hide_index=True, width="stretch")


def _history() -> None:
    try:
        past = source.client().get("/api/v1/alerts/history", limit=100)["alerts"]
        live = source.client().get("/api/v1/alerts/resolution")["weeks"]
    except LiveUnavailable as problem:
        st.info(str(problem), icon=":material/info:")
        past, live = [], []
    if past:
        _table(past)
    else:
        st.caption("No alert is over yet.")
    _weeks(live)


def _weeks(live: list[dict[str, Any]]) -> None:
    """What is published, and beside it what the live tail knows; never one for the other."""
    published = source.alert_weeks()
    if not published.frame.empty:
        age = formats.age(source.ages().marts_age_s)
        st.markdown("**Resolution by week**")
        st.caption(f"Published {age} ago; alerts that fire still are in it.")
        weeks = published.frame.astype(object).where(published.frame.notna(), None)
        table = resolution_table(weeks.to_dict("records"))
        st.dataframe(table, hide_index=True, width="stretch")
    else:
        st.caption(published.problem or "No week of alerts is published yet.")
    if live:
        st.markdown("**Live state**")
        st.caption("Of the last 90 days as the live tail keeps them; alerts that are over.")
        st.dataframe(resolution_table(live), hide_index=True, width="stretch")


def resolution_table(weeks: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows of the mart or of the API with durations as people read them."""
    return pd.DataFrame(
        [
            {
                "Week": w["week"],
                "Rule": w["rule"],
                "Component": w["component"] or formats.NOT_MEASURED,
                "Severity": w["severity"],
                "Fired": w["fired"],
                "Acted on": w["acted_on"],
                "Noise": formats.percent(w["noise_pct"]),
                "Reopened": w["reopened"],
                "MTTA": formats.age(w["mtta_s"]),
                "MTTR": formats.age(w["mttr_s"]),
                "MTBF": formats.age(w["mtbf_s"]),
            }
            for w in weeks
        ]
    )


main()
