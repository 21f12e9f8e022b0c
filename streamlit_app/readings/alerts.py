"""Alerts: those that stand, one with its life and curve, what is over, who was told.

Here: one function per question to the live tail's alerts API. Not here: drawing, deciding
(`components/alerts`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from live_tail.http.client import LiveUnavailable
from privacy.access.access_policy import Right
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

_RIGHT = "alerts"
_KEPT_S = 4
"""Seconds for which one answer serves everybody who looks."""


@dataclass(frozen=True)
class Answer:
    """What the alerts API said, or the reason why it said nothing."""

    told: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def standing() -> Answer:
    """alerts (worst first), silences, channels, on_call, problem (of the policy's file), unjudged."""
    permission.require_of_viewer(Right.QUERY, _RIGHT)
    found = source.alerts()
    return Answer(found) if found else Answer(problem=_unavailable())


def one(alert: str) -> Answer:
    """An alert with `events` (its life), `told` (messages about it) and `curve`; over or not."""
    permission.require_of_viewer(Right.QUERY, _RIGHT)
    return _asked(f"/api/v1/alerts/{alert}")


def history(limit: int = 100) -> Answer:
    """alerts that are over, the newest first."""
    permission.require_of_viewer(Right.QUERY, _RIGHT)
    return _asked("/api/v1/alerts/history", limit=limit)


def resolution() -> Answer:
    """weeks as the live tail keeps them: fired, acted on, times to acknowledge and to resolve."""
    permission.require_of_viewer(Right.QUERY, _RIGHT)
    return _asked("/api/v1/alerts/resolution")


def deliveries(limit: int = 50) -> Answer:
    """deliveries, the newest first: channel, state, attempts, error, created_us."""
    permission.require_of_viewer(Right.QUERY, "deliveries")
    return _asked("/api/v1/deliveries", limit=limit)


def preview(matchers: tuple[str, ...]) -> Answer:
    """count and alerts that a silence with these matchers would mute now."""
    permission.require_of_viewer(Right.QUERY, _RIGHT)
    return _asked("/api/v1/alerts/preview", matcher=matchers)


def _asked(path: str, **given: Any) -> Answer:
    client = source.client()
    return _answered(client, path, tuple(sorted(given.items())))


@st.cache_data(max_entries=100, ttl=_KEPT_S, show_spinner=False)
def _answered(_client: Any, path: str, given: tuple[tuple[str, Any], ...]) -> Answer:
    try:
        return Answer(_client.get(path, **dict(given)))
    except (LiveUnavailable, ValueError) as problem:
        return Answer(problem=str(problem))


def forget() -> None:
    """Ask anew: somebody has changed something."""
    _answered.clear()


def _unavailable() -> str:
    live = source.settings().live
    return (
        f"The live tail at http://{live.host}:{live.port} does not answer: run ./tta.sh monitor up, or see "
        "./tta.sh monitor status."
    )
