"""Alerts: what is wrong by cause, what to do about it, who looks at it; silences, on-call, history."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import frame, markup, states
from streamlit_app.components.alerts import cards, tree
from streamlit_app.components.causes import alert_records, cause
from streamlit_app.components.causes.alert_table import alert_rows, alert_table
from streamlit_app.components.causes.episode import episode, title_of
from streamlit_app.components.export_menu import export_menu
from streamlit_app.readings import alerts as data
from streamlit_app.sign_in import permission
from streamlit_app.view import View

_CARDS = 6
_HELP = """
One card for each cause, the worst first: what failed, what to do and where, who was told and who is next, and
what its rule measured. Consequences stand below their cause. An alert's title opens its life.
"""
_SEVERITIES = ("critical", "warning", "info")


def main() -> None:
    """Draw what stands, or the alert that the address names."""
    permission.page("alerts")
    wanted = st.query_params.get("alert")
    trail = [("All alerts", "/alerts"), (title_of(wanted), "")] if wanted else []
    shown = frame.page("alerts", "Alerts", trail=trail, help=_HELP)
    if not cards.may_change():
        st.html(
            '<p class="tta-quiet">Your role looks on: operators acknowledge, silence and resolve.</p>'
        )
    if wanted:
        frame.live(lambda view: episode(wanted, view), shown)
        return
    frame.live(_standing, shown)
    _records(shown)


def _standing(shown: View) -> None:
    answer = data.standing()
    if answer.problem:
        states.failed(answer.problem)
        return
    if answer.told["problem"]:
        st.html(f'<p role="status">{markup.pill("warning", answer.told["problem"])}</p>')
    alerts = answer.told["alerts"]
    if not alerts:
        states.empty(
            "alert stands",
            "One shows here as soon as the condition of a rule holds. See History below.",
            where="",
        )
        return
    found = tree.causes(alerts)
    _summary(found, alerts, shown)
    for one in found[:_CARDS]:
        cause.card(one, shown)
    if len(found) > _CARDS:
        with st.container(border=True):
            alert_table([one.first for one in found[_CARDS:]], shown, key="further")
    for consequences in tree.orphans(alerts):
        _aftermath(consequences, shown)
    _unjudged(answer.told["unjudged"])


def _unjudged(why: Mapping[str, str]) -> None:
    """Rules that had too little to judge by: folded, for it is no alarm."""
    if why:
        with st.expander(f"{len(why)} rule{'s' * (len(why) != 1)} could not judge every series"):
            items = "".join(
                f"<li>{markup.text(f'{rule}: {told}')}</li>" for rule, told in why.items()
            )
            st.html(f'<ul class="tta-found tta-quiet">{items}</ul>')


def _summary(found: Sequence[tree.Cause], alerts: Sequence[dict[str, Any]], shown: View) -> None:
    """One line that says how bad it is."""
    counts = Counter(one.first["severity"] for one in found)
    pills = [
        markup.pill(cards.STATES[name], f"{counts[name]} {_words(name, counts[name])}")
        for name in _SEVERITIES
        if counts[name]
    ]
    muted = sum(bool(alert["muted_by"]) for alert in alerts)
    seen = sum(alert["state"] == "acknowledged" for alert in alerts)
    rest = [f"{len(found)} cause{'s' * (len(found) != 1)}"]
    rest += [f"{seen} acknowledged"] if seen else []
    rest += [f"{muted} muted"] if muted else []
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = markup.text(" · ".join(rest))
        st.html(
            f'<p class="tta-cause">{" ".join(pills)} <span class="tta-quiet">{words}</span></p>'
        )
        tools = st.container(width="content")
    with tools:
        rows = alert_rows(alerts, shown)
        words_only = [word for _, word in rows["severity"]]
        export_menu("alerts", rows.assign(severity=words_only), shown)


def _words(severity: str, count: int) -> str:
    if severity == "warning":
        return f"warning{'s' * (count != 1)}"
    return "for information" if severity == "info" else severity


def _aftermath(consequences: Sequence[dict[str, Any]], shown: View) -> None:
    """Alerts of something that is over: they end by themselves, or are told when they do not."""
    above, count = consequences[0]["cause"], len(consequences)
    over = f", over since {above['resolved_at'][11:16]} UTC" if above["resolved_at"] else ""
    title = f"{count} consequence{'s' * (count != 1)} of “{above['summary']}”{over}: muted while they end"
    with st.expander(markup.plain(title)):
        alert_table(consequences, shown, key=f"aftermath-{above['id']}")


def _records(shown: View) -> None:
    answer = data.standing()
    silences, told, past = st.tabs(["Silences", "On call and channels", "History"])
    if not answer.problem:
        with silences:
            alert_records.silences(answer.told)
        with told:
            alert_records.told(answer.told, shown)
    with past:
        alert_records.history(shown)


main()
