"""Grouping and routing: which receiver is told of which alerts, and when (Alertmanager's rules).

Here: routes, groups, waits and repeats, pure. Not here: escalation (`escalate`), texts
(`templates`), sending (`notifier`). A group flushes after `group_wait`, then every
`group_interval`; it tells when an alert is new or over, or when `repeat_interval` has passed and
somebody has yet to acknowledge. An alert of the fast lane flushes its group at once, unless it
names the dependency that made it fail.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from live_tail.alerts.notify.notify_policy import Escalation, Policy, Route, routes
from live_tail.alerts.notify.times import is_within
from live_tail.alerts.words.life_records import Alert, Book, Group, Notification, State
from live_tail.alerts.words.matchers import matches, parse
from live_tail.alerts.words.rule_records import Labels, Severity, labels_of


@dataclass(frozen=True)
class Way:
    """A route with everything that it inherits."""

    receiver: str
    escalation: str | None
    group_by: tuple[str, ...]
    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta


@dataclass(frozen=True)
class Place:
    """A way and the group on it: its labels and key."""

    way: Way
    labels: Labels
    key: str


# So many alerts are remembered; then remembering begins anew.
_REMEMBERED = 50_000


class Routing:
    """Where alerts go under one policy; what labels decide is worked out once per alert.

    With thousands of alerts it is asked thousands of times a round. For one thread at a time.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._known: dict[tuple[str, Severity, str], tuple[Place, ...]] = {}
        self._ways: dict[tuple[str, ...], list[Way]] = {}
        # The labels that decide between routes.
        self._asked = sorted({parse(m)[0] for r in routes(policy.route) for m in r.matchers})
        self._escalations = {e.name: e for e in policy.escalations}

    def places(self, alert: Alert) -> tuple[Place, ...]:
        """The routes that an alert takes and its groups; a rule's own `route` names a receiver."""
        # A fingerprint stands for rule and labels.
        name = (alert.fingerprint, alert.severity, alert.route)
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
                self._ways.clear()
            labels = alert.all_labels()
            asked = (alert.route, *(labels.get(n, "") for n in self._asked))
            ways = self._ways.get(asked)
            if ways is None:
                ways = self._ways[asked] = _ways(self.policy, alert, labels)
            found = self._known[name] = tuple(_place(way, labels) for way in ways)
        return found

    def escalation(self, alert: Alert) -> Escalation | None:
        """The escalation that the alert's first route with one names."""
        names = (p.way.escalation for p in self.places(alert) if p.way.escalation)
        return next((self._escalations[n] for n in names if n in self._escalations), None)


def _place(way: Way, labels: dict[str, str]) -> Place:
    names = labels if way.group_by == ("...",) else way.group_by
    by = labels_of({n: labels.get(n, "") for n in names})
    # A digest: keys stand in the clear in the database, label values do not.
    return Place(way, by, dedup_key(way.receiver, *(f"{k}={v}" for k, v in by)))


def _ways(policy: Policy, alert: Alert, labels: dict[str, str]) -> list[Way]:
    top = policy.route
    start = Way(
        top.receiver or "", top.escalation, top.group_by or (), top.group_wait or timedelta(0),
        top.group_interval or timedelta(minutes=5), top.repeat_interval or timedelta(hours=4),
    )  # fmt: skip
    found = list(_descend(top, start, labels))
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
    # Spelled out: with thousands of new alerts this runs thousands of times in a round.
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
    book: Book, routing: Routing, now: datetime
) -> tuple[dict[str, Group], list[Notification]]:
    """The groups after this instant and what is to be told now."""
    gathered = _gather(book.alerts.values(), routing)
    groups: dict[str, Group] = {}
    told: list[Notification] = []
    for key, members in gathered.items():
        group = book.groups.get(key)
        if group is None:
            if not any(a.is_active for a in members.alerts):
                continue
            flush_at = now + members.way.group_wait
            group = Group(key, members.way.receiver, members.labels, flush_at)
        group, sent = _flush(group, members, routing.policy, now)
        told += sent
        if group.told or any(a.is_active for a in members.alerts):
            groups[key] = group
    return groups, told


def _gather(alerts: Iterable[Alert], routing: Routing) -> dict[str, _Members]:
    found: dict[str, _Members] = {}
    for alert in alerts:
        if alert.state is State.PENDING or not alert.episode:
            continue
        for place in routing.places(alert):
            members = found.get(place.key)
            if members is None:
                members = found[place.key] = _Members(place.way, place.labels, [])
            members.alerts.append(alert)
    return found


def _flush(
    group: Group, members: _Members, policy: Policy, now: datetime
) -> tuple[Group, list[Notification]]:
    loud = [a for a in members.alerts if a.is_active and not a.muted_by]
    if is_within(policy.quiet_hours.hours, policy.quiet_hours.time_zone, now):
        loud = [a for a in loud if a.severity is Severity.CRITICAL]
    new = [a for a in loud if a.telling not in group.told]
    # That nothing new came for a while is no news: a digest just ends.
    over = [
        a
        for a in members.alerts
        if a.state is State.RESOLVED and a.telling in group.told and not a.groups
    ]
    is_fast = any(_is_at_once(a) for a in new)
    if not is_fast and now < group.flush_at:
        return group, []
    way = members.way
    group = replace(group, flush_at=now + way.group_interval)
    is_due = group.sent_at is not None and now - group.sent_at >= way.repeat_interval
    repeated = is_due and any(a.state is State.FIRING and not a.groups for a in loud)
    # As long as something new is not yet acknowledged it is told, however quick the person was.
    reason = "new" if new else "resolved" if over else "repeat" if repeated else ""
    if not reason:
        return group, []
    told = frozenset(a.telling for a in loud) | (
        group.told & {a.telling for a in members.alerts if a.is_active}
    )
    after = replace(group, sent_at=now, told=told, sequence=group.sequence + 1)
    return after, list(_for_channels(after, way, policy, loud=loud, over=over, reason=reason))


def _is_at_once(alert: Alert) -> bool:
    """Whether an alert does not wait for its group. A failure that names a dependency does: the
    dependency's own alert is the cause and will take it in."""
    return alert.is_fast and not any(name == "dependency" for name, _ in alert.labels)


def _for_channels(
    group: Group, way: Way, policy: Policy, *, loud: list[Alert], over: list[Alert], reason: str
) -> Iterator[Notification]:
    for channel in policy.receiver(group.receiver).channels:
        wants = policy.channels[channel].send_resolved
        if not loud and not wants:
            continue
        yield Notification(
            key=dedup_key(
                group.key, channel, str(group.sequence), *(a.telling for a in [*loud, *over])
            ),
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
