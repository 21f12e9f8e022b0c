"""What people and machines read: what is wrong · since · effect · what to do.

Here: plain text for people, Alertmanager's version 4 JSON, PagerDuty's events. Not here: sending.
Everything in it is a constant of a rule, a gated label, a number or a link of ours.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from live_tail.alerts.words.life_records import Alert, Listed, Notification, State

_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 10
_PAGERDUTY = {"critical": "critical", "warning": "warning", "info": "info"}


def sparkline(values: tuple[float | None, ...]) -> str:
    """`▁▃▇`; a gap where nothing was measured, nothing when there is less than two values."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(" " if v is None else _BARS[int((v - low) / span * 7)] for v in values)


def link(app_url: str, alert: Alert) -> str:
    """The address that opens exactly this alert."""
    # An id is hex digits and a number: nothing in it needs quoting.
    return f"{app_url}/alerts?alert={alert.id}"


def title(notification: Notification) -> str:
    """`FIRING critical: RedisDown (3)`; an alert about errors is named by its summary."""
    alerts = notification.firing or notification.resolved
    word = "FIRING" if notification.firing else "RESOLVED"
    worst = min((a.severity.value for a in alerts), key=["critical", "warning", "info"].index)
    names = sorted({a.summary if a.groups else a.rule for a in alerts})
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    count = f" ({len(alerts)})" if len(alerts) > 1 else ""
    level = f" · {notification.reason}" if notification.reason.startswith("level") else ""
    return f"{word} {worst}: {names[0]}{more}{count}{level}"


def body(notification: Notification, app_url: str) -> str:
    """The message as plain text; at most ten alerts, the rest as a number."""
    alerts = [*notification.firing, *notification.resolved]
    blocks = ["\n".join(_lines(a, app_url)) for a in alerts[:_SHOWN]]
    if len(alerts) > _SHOWN:
        blocks.append(f"… and {len(alerts) - _SHOWN} more: {app_url}/alerts")
    if notification.target:
        blocks.append(f"On call: {notification.target}")
    return "\n\n".join(blocks)


def _lines(alert: Alert, app_url: str) -> list[str]:
    value = "" if alert.value is None else f" · value {alert.value:.4g}"
    labels = " ".join(f"{k}={v}" for k, v in alert.labels)
    lines = [f"{alert.summary or alert.rule}{value} {sparkline(alert.values)}".rstrip()]
    if labels:
        lines.append(labels)
    since = alert.fired_at or alert.started_at
    if alert.state is State.RESOLVED and alert.resolved_at:
        lines.append(f"Since {_utc(since)}, resolved {_utc(alert.resolved_at)}: {alert.reason}")
        return [*lines, link(app_url, alert)]
    lines.append(f"Since {_utc(since)}")
    if alert.effect:
        lines.append(f"Effect: {alert.effect}")
    lines += [f"{n}. {step}" for n, step in enumerate(alert.runbook, start=1)]
    lines += [f"  at {frame}" for frame in alert.frames]
    lines += [f"  {_listed(one)}: {app_url}/errors?group={quote(one.key, safe='')}"
              for one in alert.groups[:_SHOWN]]  # fmt: skip
    if len(alert.groups) > _SHOWN:
        lines.append(f"  … and {len(alert.groups) - _SHOWN} more: {app_url}/errors")
    if alert.runbook_url:
        lines.append(f"Runbook: {alert.runbook_url}")
    return [*lines, link(app_url, alert)]


def _listed(one: Listed) -> str:
    return f"{one.count} x {one.error}" + (f" in {one.place}" if one.place else "")


def alertmanager(notification: Notification, app_url: str) -> dict[str, Any]:
    """The body of Alertmanager's webhook, version 4."""
    alerts = [
        alertmanager_alert(a, app_url) for a in (*notification.firing, *notification.resolved)
    ]
    return {
        "version": "4",
        "groupKey": _group_key(notification),
        "truncatedAlerts": 0,
        "status": "firing" if notification.firing else "resolved",
        "receiver": notification.receiver,
        "groupLabels": dict(notification.group_labels),
        "commonLabels": _common([a["labels"] for a in alerts]),
        "commonAnnotations": _common([a["annotations"] for a in alerts]),
        "externalURL": app_url,
        "notification_reason": notification.reason,
        "alerts": alerts,
    }


def _group_key(notification: Notification) -> str:
    if not notification.group_labels:
        return notification.subject
    by = ", ".join(f'{k}="{v}"' for k, v in notification.group_labels)
    return f"{notification.receiver}:{{{by}}}"


def alertmanager_alert(alert: Alert, app_url: str) -> dict[str, Any]:
    """One alert in Alertmanager's form."""
    labels = {k: v for k, v in alert.all_labels().items() if k != "rule"}
    notes = {
        "summary": alert.summary or alert.rule,
        "effect": alert.effect,
        "runbook": "\n".join(alert.runbook),
        "runbook_url": alert.runbook_url,
        "value": "" if alert.value is None else f"{alert.value:.6g}",
        "frames": "\n".join(alert.frames),
        "error_groups": "\n".join(_listed(one) for one in alert.groups),
    }
    over = alert.resolved_at if alert.state is State.RESOLVED else None
    return {
        "status": "resolved" if over else "firing",
        "labels": labels,
        "annotations": {k: v for k, v in notes.items() if v},
        "startsAt": _utc(alert.fired_at or alert.started_at),
        "endsAt": _utc(over) if over else "0001-01-01T00:00:00Z",
        "generatorURL": link(app_url, alert),
        "fingerprint": alert.fingerprint,
    }


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    if not maps:
        return {}
    return {k: v for k, v in maps[0].items() if all(m.get(k) == v for m in maps)}


def pagerduty(notification: Notification, app_url: str) -> list[dict[str, Any]]:
    """Events API v2 without routing key, one per alert; the fingerprint is the dedup key."""
    events: list[dict[str, Any]] = []
    for alert in (*notification.firing, *notification.resolved):
        if alert.state is State.RESOLVED:
            events.append({"event_action": "resolve", "dedup_key": alert.fingerprint})
            continue
        action = "acknowledge" if alert.state is State.ACKNOWLEDGED else "trigger"
        labels = dict(alert.labels)
        payload = {
            "summary": alert.summary or alert.rule,
            "source": labels.get("component", "tta-monitor"),
            "severity": _PAGERDUTY[alert.severity.value],
            "component": labels.get("component", ""),
            "group": labels.get("dependency", ""),
            "class": alert.rule,
            "custom_details": {**labels, "effect": alert.effect, "what_to_do": list(alert.runbook)},
        }
        events.append(
            {
                "event_action": action,
                "dedup_key": alert.fingerprint,
                "payload": payload,
                "links": [{"href": link(app_url, alert), "text": "Open in TTA Monitor"}],
            }
        )
    return events


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
