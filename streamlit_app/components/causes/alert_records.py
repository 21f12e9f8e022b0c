"""What stands behind alerts: silences, who is on call, channels and their deliveries, what is over.

Here: drawing them, and what is done to them. Not here: alerts that stand (`cause`, `episode`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from privacy.access.access_policy import Right
from streamlit_app.components import address, formats, markup, panels, states
from streamlit_app.components.alerts import cards
from streamlit_app.components.causes.alert_table import alert_table
from streamlit_app.components.drawer import drawer
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.readings import alerts as data
from streamlit_app.readings import source
from streamlit_app.sign_in import permission
from streamlit_app.view import View

Shown = dict[str, Any]
_DURATIONS = {"30 min": "30m", "1 h": "1h", "4 h": "4h", "1 d": "1d", "7 d": "7d"}
_WHO = "An administrator can give you the role operator."
_DELIVERIES = (
    Column("at", "At"),
    Column("channel", "Channel"),
    Column("state", "State"),
    Column("attempts", "Attempts", "number"),
    Column("error", "Error"),
)
_NUMBERS = frozenset({"Fired", "Acted on", "Reopened"})
_WEEKS = tuple(
    Column(name, name, "number" if name in _NUMBERS else "text")
    for name in (
        "Week", "Rule", "Component", "Severity", "Fired", "Acted on", "Noise", "Reopened", "MTTA",
        "MTTR", "MTBF",
    )
)  # fmt: skip


def silences(answer: Mapping[str, Any]) -> None:
    """Those in force, and a form for a new one."""
    may = permission.may_read(Right.ACTION, "silences.change")
    if may:
        _new_silence()
    else:
        states.forbidden("the form for silences", _WHO)
    for silence in answer["silences"]:
        words = f"{', '.join(silence['matchers'])} until {silence['ends_at'][:16].replace('T', ' ')} UTC"
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(markup.text(f"{words} · {silence['created_by']} {silence['comment']}"))
            if may and st.button("End", key=f"end-{silence['id']}"):
                cards.act(f"/api/v1/silences/{silence['id']}/end")
    if not answer["silences"]:
        states.empty("silences", "Silence an alert on its card, or by matchers above.", where="")


def _new_silence() -> None:
    text = st.text_input(
        "Matchers, separated by commas", placeholder='component="api", severity="warning"'
    )
    matchers = [m.strip() for m in text.split(",") if m.strip()]
    left, middle, right = st.columns([2, 4, 2], vertical_alignment="bottom")
    chosen = left.selectbox("For", list(_DURATIONS), index=1)
    comment = middle.text_input("Comment", help="Kept as a skeleton: names and numbers are masked.")
    if matchers:
        found = data.preview(tuple(matchers))
        said = found.problem or f"Matches {found.told['count']} now."
        st.html(f'<p class="tta-quiet" role="status">{markup.text(said)}</p>')
    if right.button("Silence", key="silence-new", disabled=not matchers, width="stretch"):
        duration = _DURATIONS[chosen or "1 h"]
        cards.act("/api/v1/silences", matchers=matchers, duration=duration, comment=comment)


def told(answer: Mapping[str, Any], shown: View) -> None:
    """Who is on call, the channels and how they fare, what was sent."""
    if not answer["on_call"]:
        states.empty("schedule", "Add schedules to alerting.yaml.", where="")
    for row in answer["on_call"]:
        until = row["next_handover_at"][:16].replace("T", " ")
        st.html(markup.text(f"{row['schedule']}: {row['member']} until {until} UTC"))
    may_test = permission.may_read(Right.ACTION, "channels.change")
    for channel in answer["channels"]:
        _channel(channel, may_test=may_test)
    _deliveries(shown)


def _channel(channel: Shown, *, may_test: bool) -> None:
    failing = channel["failures"]
    words = f"failing, {failing} attempts: {channel['error']}" if failing else "no failure"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pill = markup.pill("warning" if failing else "ok", words)
        st.html(f"{markup.text(channel['name'])} ({markup.text(channel['type'])}) {pill}")
        if may_test and st.button("Test", key=f"test-{channel['name']}"):
            cards.act(f"/api/v1/channels/{channel['name']}/test")


def _deliveries(shown: View) -> None:
    if not permission.may_read(Right.QUERY, "deliveries"):
        return
    answer = data.deliveries()
    tools = panels.heading("Sent, newest first")
    if answer.problem:
        states.failed(answer.problem)
        return
    rows = pd.DataFrame(answer.told["deliveries"])
    if rows.empty:
        states.empty(
            "messages", "They are sent when an alert fires, or by a channel's test.", where=""
        )
        return
    today = shown.local(address.now())
    rows["at"] = [
        formats.clock(shown.local(formats.of_microseconds(us)), today) for us in rows["created_us"]
    ]
    rows = rows[["at", "channel", "state", "attempts", "error"]].replace({"error": {"": None}})
    ranked_table(
        pd.DataFrame(rows), _DELIVERIES, key="deliveries", caption="Messages, newest first"
    )
    with tools:
        export_menu("messages", pd.DataFrame(rows), shown)


def history(shown: View) -> None:
    """What is over, and how quickly it was acted on, by week."""
    answer = data.history()
    tools = panels.heading("Over, newest first")
    if answer.problem:
        states.failed(answer.problem)
    elif not answer.told["alerts"]:
        states.empty(
            "alerts that are over", "An alert comes here when its condition has ended.", where=""
        )
    else:
        rows = alert_table(answer.told["alerts"], shown, key="over")
        with tools:
            export_menu("alerts that are over", rows, shown)
    _weeks(shown)


def _weeks(shown: View) -> None:
    """What is published, and beside it what the live tail knows; never one for the other."""
    published = source.alert_weeks()
    tools = panels.heading("Resolution by week, published")
    if not states.problem(published):
        if published.frame.empty:
            states.empty(
                "weeks of alerts",
                "The first pass of Dagster after an alert publishes its week.",
                where="",
            )
        else:
            weeks = published.frame.astype(object).where(published.frame.notna(), None)
            table = resolution_table(weeks.to_dict("records"))
            age = formats.age(source.ages().marts_age_s)
            st.html(
                f'<p class="tta-quiet">Published {age} ago; alerts that fire still are in it.</p>'
            )
            ranked_table(table, _WEEKS, key="weeks", caption="Resolution by week, as published")
            with tools:
                drawer(published, key="how-weeks")
                export_menu("resolution by week", table, shown)
    live = data.resolution().told.get("weeks")
    if live:
        table = resolution_table(live)
        with panels.heading("Resolution by week, live"):
            export_menu("resolution by week live", table, shown)
        st.html(
            '<p class="tta-quiet">The last 90 days as the live tail keeps them; alerts that are over.</p>'
        )
        ranked_table(table, _WEEKS, key="weeks-live", caption="Resolution by week, live")


def resolution_table(weeks: Sequence[Shown]) -> pd.DataFrame:
    """Rows of the mart or of the API with durations as people read them."""
    return pd.DataFrame(
        [
            {
                "Week": w["week"],
                "Rule": w["rule"],
                "Component": w["component"] or None,
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
