"""Alerts as people read them: what an alert says, and the buttons that change it.

Here: words about an alert, sending what a button says, who may. Not here: the banner (`header/banner`), a
cause as a whole (`causes/cause`), what the buttons do (`live_tail/alerts`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from live_tail.http.access import about
from live_tail.http.client import LiveUnavailable
from privacy.access.access_policy import Right
from streamlit_app.components import formats, markup
from streamlit_app.readings import alerts as data
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

Shown = dict[str, Any]
STATES: Mapping[str, markup.State] = {"critical": "critical", "warning": "warning", "info": "info"}
_MUTES: Mapping[str, str] = {
    "inhibited": "its cause", "recovering": "its cause, which is over", "silence": "a silence",
    "maintenance": "maintenance",
}  # fmt: skip
_DURATIONS = {"30 min": "30m", "1 h": "1h", "4 h": "4h", "1 d": "1d"}


def is_waiting(alert: Shown) -> bool:
    """Critical, firing, neither acknowledged nor muted."""
    is_critical = alert["severity"] == "critical" and alert["state"] == "firing"
    return is_critical and not alert["muted_by"]


def may_change() -> bool:
    """Whether whoever looks acknowledges and resolves."""
    return permission.may_read(Right.ACTION, "alerts.change")


def name_of(alert: Shown) -> str:
    """Its summary, or its rule."""
    return alert["summary"] or alert["rule"]


def mute_words(mutes: Sequence[str]) -> str:
    """What mutes it, in words: `its cause, a silence`."""
    kinds = [mute.partition(":")[0] for mute in mutes]
    return ", ".join(dict.fromkeys(_MUTES.get(kind, kind) for kind in kinds))


def since_text(alert: Shown) -> str:
    """`since 12:04 UTC (3 min)`."""
    moment = datetime.fromisoformat(alert["fired_at"] or alert["started_at"])
    age = formats.age((datetime.now(UTC) - moment).total_seconds())
    return f"since {moment:%H:%M} UTC ({age})"


def next_plain(alert: Shown) -> str:
    """Who is told when, if nobody acknowledges."""
    step = alert.get("next")
    if not step:
        return "Nobody else will be told."
    moment = datetime.fromisoformat(step["at"])
    told = ", ".join(t.partition(":")[2] for t in step["notify"])
    return f"Unless acknowledged, {told} is told at {moment:%H:%M} UTC."


def runbook_popover(alert: Shown) -> None:
    """All that the banner says, the action items, and the link to the alert with its runbook."""
    with st.popover("Runbook"):
        effect = f" {alert['effect']}" if alert["effect"] else ""
        words = f"{since_text(alert)}.{effect} {next_plain(alert)}"
        st.html(f"<p><b>{markup.text(name_of(alert))}</b> {markup.text(words)}</p>")
        steps = "".join(f"<li>{markup.text(action)}</li>" for action in alert["runbook"])
        none = '<p class="tta-quiet">This rule names no action items.</p>'
        st.html(f'<ol class="tta-steps">{steps}</ol>' if steps else none)
        st.html(markup.link("Open the alert", f"/alerts?alert={alert['id']}"))


def acknowledge_button(alert: Shown, place: str, *, also: Sequence[str] = ()) -> None:
    """Somebody looks at it, and at what belongs to the same cause; drawn for those who may."""
    if not may_change():
        return
    if st.button("Acknowledge", key=f"ack-{place}-{alert['id']}", type="primary"):
        paths = [f"/api/v1/alerts/{name}/acknowledge" for name in [alert["id"], *also]]
        if all([sent(path) for path in paths]):
            st.rerun()


def resolve_button(alert: Shown, place: str) -> None:
    """Closed by hand."""
    if may_change() and st.button("Resolve", key=f"resolve-{place}-{alert['id']}"):
        act(f"/api/v1/alerts/{alert['id']}/resolve")


def silence_menu(alert: Shown, place: str) -> None:
    """Mute exactly this rule with these labels for a while; it stays recorded."""
    if not permission.may_read(Right.ACTION, "silences.change"):
        return
    with st.popover("Silence", key=f"silence-{place}-{alert['id']}"):
        found = matchers(alert)
        st.html(f'<p class="tta-quiet">Mutes {markup.text(", ".join(found))}</p>')
        with st.container(horizontal=True, gap="small"):
            for words, duration in _DURATIONS.items():
                key = f"silence-{place}-{alert['id']}-{duration}"
                if st.button(words, key=key, help=f"Silence it for {words}"):
                    act(
                        "/api/v1/silences",
                        matchers=found,
                        duration=duration,
                        comment="from its card",
                    )


def matchers(alert: Shown) -> list[str]:
    """The matchers that this alert alone meets."""
    pairs = [("rule", alert["rule"]), *((k, v) for k, v in alert["labels"] if v)]
    return [f'{name}="{_quoted(value)}"' for name, value in pairs]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


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
    data.forget()
    return True
