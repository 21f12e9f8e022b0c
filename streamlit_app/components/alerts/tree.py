"""Which alerts stand for themselves, which below their cause, and which errors they are about.

Here: arranging what the live tail says, without drawing. Not here: cards and buttons (`cards`,
`views/alerts`), what mutes what (`live_tail/alerts/notify/mute`).
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from privacy.access.access_policy import Right
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

Shown = dict[str, Any]
_MINUTES = 60


def arranged(
    alerts: Sequence[Shown], wanted: str | None
) -> tuple[list[Shown], dict[str, list[Shown]]]:
    """Alerts with a card of their own, the wanted one first, and consequences by their cause's id."""
    below: dict[str, list[Shown]] = {}
    cards: list[Shown] = []
    for alert in alerts:
        cause = alert.get("cause")
        if cause and alert["id"] != wanted:
            below.setdefault(cause["id"], []).append(alert)
        else:
            cards.append(alert)
    return sorted(cards, key=lambda a: a["id"] != wanted), below


def telling(values: Sequence[float | None]) -> list[float]:
    """The values of a line that shows something: nothing where they never changed."""
    known = [v for v in values if v is not None]
    return known if len(set(known)) > 1 else []


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
