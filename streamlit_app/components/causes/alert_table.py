"""Alerts as rows: what has no card of its own, consequences, what is over. Not here: cards (`cause`)."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from streamlit_app.components import address, formats
from streamlit_app.components.alerts import cards
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.view import View

Shown = dict[str, Any]
_COLUMNS = (
    Column("alert", "Alert", hover=lambda row: f"{row['alert']} ({row['rule']})"),
    Column("severity", "Severity", "pill"),
    Column("state", "State"),
    Column("since", "Since"),
    Column("lasted", "For"),
    Column("reason", "Ended because"),
    Column("acknowledged_by", "Acknowledged by"),
)


def alert_table(alerts: Sequence[Shown], shown: View, *, key: str, most: int = 20) -> pd.DataFrame:
    """Draw the rows, each a link to the alert's page; returns what an export holds."""
    rows = alert_rows(alerts, shown)
    columns = [c for c in _COLUMNS if c.name != "reason" or any(rows["reason"].notna())]
    ranked_table(
        rows, columns, key=key, caption="Alerts", most=most,
        link=lambda row: shown.link("alerts", alert=row["id"]),
    )  # fmt: skip
    return rows.assign(severity=[word for _, word in rows["severity"]])


def alert_rows(alerts: Sequence[Shown], shown: View) -> pd.DataFrame:
    """id, alert, rule, labels, severity (pill), state, since, lasted, reason, acknowledged_by."""
    return pd.DataFrame([_row(alert, shown) for alert in alerts])


def _row(alert: Shown, shown: View) -> dict[str, Any]:
    begun = formats.of_iso(alert["fired_at"] or alert["started_at"])
    is_over = alert["state"] == "resolved" and alert["resolved_at"]
    until = formats.of_iso(alert["resolved_at"]) if is_over else address.now()
    return {
        "id": alert["id"],
        "alert": cards.name_of(alert),
        "rule": alert["rule"],
        "labels": " ".join(f"{k}={v}" for k, v in alert["labels"] if v),
        "severity": (cards.STATES[alert["severity"]], alert["severity"]),
        "state": f"{alert['state']}, muted" if alert["muted_by"] else alert["state"],
        "since": formats.clock(shown.local(begun), shown.local(address.now())),
        "lasted": formats.age((until - begun).total_seconds()),
        "reason": alert["reason"] or None,
        "acknowledged_by": alert["acknowledged_by"] or None,
    }
