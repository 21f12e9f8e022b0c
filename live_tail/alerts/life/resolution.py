"""How well alerts are dealt with: by rule, component, severity and week.

Here: times to acknowledge and resolve, time between failures, reopened alerts, noise. Pure. Not
here: keeping episodes (`store`). A figure that nothing measured is None: no acknowledgement gives
no MTTA, a single episode no MTBF.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean
from typing import Any

from live_tail.alerts.words.life_records import Alert


def weekly(episodes: Iterable[Alert]) -> list[dict[str, Any]]:
    """One row per rule, component, severity and ISO week (its Monday, UTC), the newest first.

    `mtta_s` fired to acknowledged, `mttr_s` fired to resolved, `mtbf_s` between two fires of the
    week (what fires in the same moment is one failure);
    `acted_on` counts episodes that somebody acknowledged or resolved, the rest is noise.
    """
    groups: dict[tuple[date, str, str, str], list[Alert]] = defaultdict(list)
    for alert in episodes:
        if alert.fired_at is None:
            continue
        day = alert.fired_at.date()
        week = day - timedelta(days=day.weekday())
        component = dict(alert.labels).get("component", "")
        groups[week, alert.rule, component, alert.severity.value].append(alert)
    return [
        {"week": week.isoformat(), "rule": rule, "component": component, "severity": severity}
        | _figures(some)
        for (week, rule, component, severity), some in sorted(groups.items(), reverse=True)
    ]


def _figures(alerts: list[Alert]) -> dict[str, Any]:
    fires = sorted({a.fired_at for a in alerts if a.fired_at})
    gaps = [(b - a).total_seconds() for a, b in pairwise(fires)]
    acknowledged = [
        (a.acknowledged_at - a.fired_at).total_seconds()
        for a in alerts
        if a.acknowledged_at and a.fired_at
    ]
    over = [
        (a.resolved_at - a.fired_at).total_seconds() for a in alerts if a.resolved_at and a.fired_at
    ]
    acted_on = sum(bool(a.acknowledged_at) or bool(a.resolved_by) for a in alerts)
    return {
        "fired": len(alerts),
        "acted_on": acted_on,
        "noise_pct": 100.0 * (len(alerts) - acted_on) / len(alerts),
        "reopened": sum(a.is_reopened for a in alerts),
        "mtta_s": fmean(acknowledged) if acknowledged else None,
        "mttr_s": fmean(over) if over else None,
        "mtbf_s": fmean(gaps) if gaps else None,
    }
