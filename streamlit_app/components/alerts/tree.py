"""Which alerts stand for themselves, which below their cause, and which errors they are about.

Here: arranging what the live tail says, without drawing. Not here: cards and buttons (`causes/cause`,
`cards`), what mutes what (`live_tail/alerts/notify/mute`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from privacy.access.access_policy import Right
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

Shown = dict[str, Any]
_MINUTES = 60


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong: the alert that says it, others of its rule, and what follows from it."""

    first: Shown
    others: tuple[Shown, ...] = ()
    consequences: tuple[Shown, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Of the alerts that somebody acknowledges together: consequences are muted."""
        return [alert["id"] for alert in (self.first, *self.others)]


def causes(alerts: Sequence[Shown]) -> list[Cause]:
    """What is wrong, in the order given: alerts of one rule in one state are one cause.

    A digest of error groups stands for itself: it is one alert for each component already.
    """
    below: dict[str, list[Shown]] = {}
    together: dict[tuple[str, ...], list[Shown]] = {}
    for alert in alerts:
        cause = alert.get("cause")
        if cause:
            below.setdefault(cause["id"], []).append(alert)
            continue
        own = alert["id"] if alert.get("groups") else ""
        together.setdefault((alert["rule"], alert["state"], own), []).append(alert)
    return [
        Cause(some[0], tuple(some[1:]), tuple(c for a in some for c in below.pop(a["id"], [])))
        for some in together.values()
    ]


def orphans(alerts: Sequence[Shown]) -> list[list[Shown]]:
    """Consequences of something that is over, by it: they end by themselves, or are told."""
    known = {alert["id"] for alert in alerts if not alert.get("cause")}
    found: dict[str, list[Shown]] = {}
    for alert in alerts:
        cause = alert.get("cause")
        if cause and cause["id"] not in known:
            found.setdefault(cause["id"], []).append(alert)
    return list(found.values())


def error_groups(alert: Shown) -> list[Shown]:
    """key, error, place and count of the error groups that an alert is about, the most frequent first.

    A digest lists its own; a failure that names component and exception has the groups of these.
    """
    if alert.get("groups"):
        return list(alert["groups"])
    labels = dict(alert["labels"])
    if "exception_type" not in labels or not permission.may_read(Right.QUERY, "error_groups"):
        return []
    found = source.live("error_groups", minutes=_MINUTES).frame
    return matching(found, labels) if len(found) else []


def matching(groups: pd.DataFrame, labels: dict[str, str]) -> list[Shown]:
    """Rows of the live query `error_groups` for a component and an exception type."""
    kind, component = labels["exception_type"], labels.get("component", "")
    chosen = [
        row
        for row in groups.to_dict("records")
        if component in row["components"] and (row["exception_type"] or "") == kind
    ]
    return [
        {
            "key": row["group_key"],
            "error": row["title"],
            "place": row["culprit"] or "",
            "count": int(row["error_count"]),
        }
        for row in chosen
    ]
