"""Whether everything is all right, in one sentence, before any number.

Here: from components, alerts and rates to a state with words. Not here: drawing the rest of the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from streamlit_app.components import formats, markup
from streamlit_app.components.alerts import cards
from streamlit_app.components.markup import State
from streamlit_app.view import View

_NAMED = 3
_DEGRADED_PCT = 5.0


@dataclass(frozen=True)
class Verdict:
    """A state, what it is in a few words, and what it rests on."""

    state: State
    words: str
    rest: str


def judge(
    components: pd.DataFrame, alerts: Sequence[Mapping[str, Any]], rates: Mapping[str, Any]
) -> Verdict:
    """The worst of what is known: who is down, who is degraded, which alerts fire, which requests fail."""
    by_state = {
        state: [str(n) for n in components.loc[components["state"] == state, "component"]]
        if len(components)
        else []
        for state in ("down", "degraded", "ok", "unknown")
    }
    firing = [a for a in alerts if a["state"] in {"firing", "acknowledged"} and not a["muted_by"]]
    state, words = _worst(by_state, firing, rates.get("error_pct"))
    rest = " · ".join(told for told in _rest(by_state, firing, rates) if told != words)
    return Verdict(state, words, rest)


def _worst(
    by_state: Mapping[str, Sequence[str]],
    firing: Sequence[Mapping[str, Any]],
    error_pct: float | None,
) -> tuple[State, str]:
    critical = [a["summary"] or a["rule"] for a in firing if a["severity"] == "critical"]
    fails = error_pct if formats.is_measured(error_pct) else 0.0
    candidates: list[tuple[Any, State, str]] = [
        (by_state["down"], "down", _are(by_state["down"], "down")),
        (critical, "critical", str(next(iter(critical), ""))),
        (by_state["degraded"], "degraded", _are(by_state["degraded"], "degraded")),
        (
            fails and fails >= _DEGRADED_PCT,
            "degraded",
            f"{formats.percent(fails)} of requests fail",
        ),
        (firing, "warning", f"{_count(len(firing), 'warning')} to look at"),
        (not by_state["ok"], "unknown", "Nothing is heard right now"),
    ]
    candidates.append((True, "ok", "Everything is all right"))
    return next((state, words) for is_so, state, words in candidates if is_so)


def _rest(
    by_state: Mapping[str, Sequence[str]],
    firing: Sequence[Mapping[str, Any]],
    rates: Mapping[str, Any],
) -> list[str]:
    known = sum(len(names) for names in by_state.values())
    told = [f"{len(by_state['ok'])} of {known} components are ok"] if known else []
    told.append(f"{_count(len(firing), 'alert')} firing" if firing else "no alert fires")
    if formats.is_measured(rates.get("error_pct")):
        told.append(f"{formats.percent(rates['error_pct'])} of requests fail")
    return told


def _are(names: Sequence[str], how: str) -> str:
    more = len(names) - _NAMED
    told = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{told} {'is' if len(names) == 1 else 'are'} {how}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def draw(found: Verdict, alerts: Sequence[Mapping[str, Any]], shown: View) -> None:
    """The sentence, and a link to whatever waits."""
    waiting = [a for a in alerts if cards.is_waiting(dict(a))]
    to = shown.link("alerts", alert=waiting[0]["id"]) if waiting else shown.link("alerts")
    more = "" if found.state == "ok" else f" · {markup.link('see the alerts', to)}"
    st.html(
        f'<p class="tta-verdict tta-{found.state}" role="status">{markup.pill(found.state, found.words)}'
        f' <span class="tta-quiet">{markup.text(found.rest)}{more}</span></p>'
    )
