"""Grouping and routing: which receiver is told of which alerts, and when (Alertmanager's rules).

Here: routes, groups, waits and repeats, pure. Not here: escalation (`escalate`), texts
(`templates`), sending (`notifier`). A group flushes after `group_wait`, then every
`group_interval`; it tells when an alert is new or over, or when `repeat_interval` has passed and
somebody has yet to acknowledge. An alert of the fast lane flushes its group at once.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from live_tail.alerts.matchers import matches
from live_tail.alerts.model import Labels, Severity, labels_of
from live_tail.alerts.policy import Policy, Route
from live_tail.alerts.records import Alert, Book, Group, Notification, State
from live_tail.alerts.times import is_within


@dataclass(frozen=True)
class Way:
    """A route with everything that it inherits."""

    receiver: str
    escalation: str | None
    group_by: tuple[str, ...]
    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta


def ways(policy: Policy, alert: Alert) -> list[Way]:
    """The routes that an alert takes; a rule's own `route` names a receiver."""
    top = policy.route
    start = Way(
        top.receiver or "", top.escalation, top.group_by or (), top.group_wait or timedelta(0),
        top.group_interval or timedelta(minutes=5), top.repeat_interval or timedelta(hours=4),
    )  # fmt: skip
    found = list(_descend(top, start, alert.all_labels()))
    if alert.route in {r.name for r in policy.receivers}:
        return [replace(found[0], receiver=alert.route)]
    return found


def _descend(route: Route, way: Way, labels: dict[str, str]) -> Iterator[Way]:
    is_taken = False
    for child in route.routes:
        if not matches(child.matchers, labels):
            continue
        is_taken = True
        yield from _descend(child, _inherit(way, child), labels)
        if not child.continue_:
            return
    if not is_taken:
        yield way


def _inherit(way: Way, route: Route) -> Way:
    # Spelled out: with thousands of alerts this runs thousands of times a round.
    return Way(
        receiver=way.receiver if route.receiver is None else route.receiver,
        escalation=way.escalation if route.escalation is None else route.escalation,
        group_by=way.group_by if route.group_by is None else route.group_by,
        group_wait=way.group_wait if route.group_wait is None else route.group_wait,
        group_interval=way.group_interval if route.group_interval is None else route.group_interval,
        repeat_interval=way.repeat_interval
        if route.repeat_interval is None
        else route.repeat_interval,
    )


@dataclass
class _Members:
    way: Way
    labels: Labels
    alerts: list[Alert]


def dispatch(
    book: Book, policy: Policy, now: datetime
) -> tuple[dict[str, Group], list[Notification]]:
    """The groups after this instant and what is to be told now."""
    gathered = _gather(book.alerts.values(), policy)
    groups: dict[str, Group] = {}
    told: list[Notification] = []
    for key, members in gathered.items():
        group = book.groups.get(key)
        if group is None:
            if not any(a.is_active for a in members.alerts):
                continue
            flush_at = now + members.way.group_wait
            group = Group(key, members.way.receiver, members.labels, flush_at)
        group, sent = _flush(group, members, policy, now)
        told += sent
        if group.told or any(a.is_active for a in members.alerts):
            groups[key] = group
    return groups, told


def _gather(alerts: Iterable[Alert], policy: Policy) -> dict[str, _Members]:
    found: dict[str, _Members] = {}
    for alert in alerts:
        if alert.state is State.PENDING or not alert.episode:
            continue
        labels = alert.all_labels()
        for way in ways(policy, alert):
            names = labels if way.group_by == ("...",) else way.group_by
            by = labels_of({n: labels.get(n, "") for n in names})
            # A digest: keys stand in the clear in the database, label values do not.
            key = dedup_key(way.receiver, *(f"{k}={v}" for k, v in by))
            found.setdefault(key, _Members(way, by, [])).alerts.append(alert)
    return found


def _flush(
    group: Group, members: _Members, policy: Policy, now: datetime
) -> tuple[Group, list[Notification]]:
    loud = [a for a in members.alerts if a.is_active and not a.muted_by]
    if is_within(policy.quiet_hours.hours, policy.quiet_hours.time_zone, now):
        loud = [a for a in loud if a.severity is Severity.CRITICAL]
    new = [a for a in loud if a.id not in group.told]
    over = [a for a in members.alerts if a.state is State.RESOLVED and a.id in group.told]
    is_fast = any(a.is_fast for a in new)
    if not is_fast and now < group.flush_at:
        return group, []
    way = members.way
    group = replace(group, flush_at=now + way.group_interval)
    is_due = group.sent_at is not None and now - group.sent_at >= way.repeat_interval
    repeated = is_due and any(a.state is State.FIRING for a in loud)
    # As long as something new is not yet acknowledged it is told, however quick the person was.
    reason = "new" if new else "resolved" if over else "repeat" if repeated else ""
    if not reason:
        return group, []
    told = frozenset(a.id for a in loud) | (
        group.told & {a.id for a in members.alerts if a.is_active}
    )
    after = replace(group, sent_at=now, told=told, sequence=group.sequence + 1)
    return after, list(_for_channels(after, way, policy, loud=loud, over=over, reason=reason))


def _for_channels(
    group: Group, way: Way, policy: Policy, *, loud: list[Alert], over: list[Alert], reason: str
) -> Iterator[Notification]:
    for channel in policy.receiver(group.receiver).channels:
        wants = policy.channels[channel].send_resolved
        if not loud and not wants:
            continue
        yield Notification(
            key=dedup_key(group.key, channel, str(group.sequence), *(a.id for a in [*loud, *over])),
            subject=group.key,
            channel=channel,
            receiver=group.receiver,
            reason=reason,
            firing=tuple(loud),
            resolved=tuple(over) if wants else (),
            group_labels=group.labels,
            again_after=way.repeat_interval,
        )


def dedup_key(*parts: str) -> str:
    """32 hex digits: the same thing to say to the same channel in the same slot."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
