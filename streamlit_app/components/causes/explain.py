"""From an alert to the views that explain it, at its time and with what it is about.

Here: which page answers which alert and which step of its runbook. Pure. Not here: drawing the links
(`cause`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from streamlit_app.page_files import FILES
from streamlit_app.view import PREVIOUS, RANGES, View

Shown = dict[str, Any]
_LEAD, _TAIL = timedelta(minutes=10), timedelta(minutes=5)
_PAGES = frozenset(FILES)
_NAMES: Mapping[str, str] = {
    "errors": "Errors", "logs": "Logs", "ai_models": "AI models", "databases": "Databases",
    "websockets": "WebSockets", "performance": "Performance", "health": "Health", "explore": "Explore",
    "overview": "Overview",
}  # fmt: skip
# What a step of a runbook speaks of, and the page that shows it; the first that fits.
_STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), page)
    for pattern, page in (
        (r"error group|\bstack\b|\btrace\b", "errors"),
        (r"\blogs?\b|network|credential|container", "logs"),
        (r"\bmodel|\bprovider|fallback", "ai_models"),
        (r"quer(y|ies)|index|\bpool\b|\bheap\b|keys without", "databases"),
        (r"deployment|release|roll\s?back", "performance"),
        (r"\broutes?\b|traffic|\bclient sends\b|\bfail", "performance"),
        (r"fct_\w+", "explore"),
        (r"memory|\bcpu\b|\bdisk\b|\bprocess\b|restart|running|\bruns\b", "health"),
    )
)
_COMPARES = re.compile(r"deployment|release|roll\s?back|compare", re.IGNORECASE)
_DATABASE = re.compile(r"neo4j|postgres|redis|sqlite|mysql|mongo|database", re.IGNORECASE)


@dataclass(frozen=True)
class Way:
    """Words of a link and where it leads."""

    words: str
    address: str


def at_its_time(alert: Shown, shown: View, now: datetime) -> View:
    """The range around an alert: up to now while it stands, else from before it to after it."""
    begun = began_at(alert)
    plain = shown.but(
        component=None, route=None, model=None, severity=None, version=None, search=""
    )
    if alert["resolved_at"] and alert["state"] == "resolved":
        over = datetime.fromisoformat(alert["resolved_at"]) + _TAIL
        return plain.but(start_at=_whole(begun - _LEAD), end_at=_whole(max(over, begun + _TAIL)))
    wanted = now - begun + _LEAD
    label = next((name for name, length in RANGES.items() if length >= wanted), "30 d")
    return plain.but(label=label, end_at=_whole(now))


def explains(alert: Shown, groups: Sequence[Shown], shown: View, now: datetime) -> Way:
    """The view that explains an alert."""
    if len(groups) == 1:
        return _way("errors", alert, groups, shown, now, words="Open the error group")
    labels = dict(alert["labels"])
    named = f"{alert['rule']} {labels.get('dependency', '')}"
    if groups or alert["rule"].startswith("ErrorGroup"):
        page = "errors"
    elif "model" in labels:
        page = "ai_models"
    elif "WebSocket" in alert["rule"]:
        page = "websockets"
    elif _DATABASE.search(named):
        page = "databases"
    elif "host" in labels:
        page = "health"
    else:
        page = "performance" if labels.get("component") else "overview"
    return _way(page, alert, groups, shown, now)


def step(text: str, alert: Shown, groups: Sequence[Shown], shown: View, now: datetime) -> Way:
    """The view in which a step of the runbook is done; the one that explains the alert if none is named."""
    page = next((page for words, page in _STEPS if words.search(text)), None)
    if page is None:
        return explains(alert, groups, shown, now)
    return _way(page, alert, groups, shown, now, is_compared=bool(_COMPARES.search(text)))


def began_at(alert: Shown) -> datetime:
    """When its condition began to hold."""
    return datetime.fromisoformat(alert["started_at"] or alert["fired_at"])


def _way(
    page: str,
    alert: Shown,
    groups: Sequence[Shown],
    shown: View,
    now: datetime,
    *,
    words: str = "",
    is_compared: bool = False,
) -> Way:
    page = page if page in _PAGES else "performance" if page != "overview" else page
    view, labels = at_its_time(alert, shown, now), dict(alert["labels"])
    changes: dict[str, Any] = {"at": began_at(alert)}
    if labels.get("component"):
        changes["component"] = labels["component"]
    if page == "performance" and labels.get("route"):
        changes["route"] = labels["route"]
    if page == "ai_models" and labels.get("model"):
        changes["model"] = labels["model"]
    if page == "logs":
        changes["severity"] = "error"
    if page == "errors" and len(groups) == 1:
        changes["group"] = groups[0]["key"]
    if is_compared and page == "performance":
        changes["compare"] = PREVIOUS
    return Way(words or f"Open {_NAMES[page]}", view.link(page, **changes))


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)
