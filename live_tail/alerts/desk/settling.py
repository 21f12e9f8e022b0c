"""What follows from a change of alerts: mutes, groups, levels, and the messages that are to be told.

Here: the order of the steps, and what of it must be stored. Pure: nothing is written. Not here: each step
(`life`, `mute`, `dispatch`, `escalate`), when it happens (`manager`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from live_tail.alerts.life import by_hand, transitions
from live_tail.alerts.life.outbox import Outgoing
from live_tail.alerts.notify import templates
from live_tail.alerts.notify.channels import READ_AS_TEXT
from live_tail.alerts.notify.dispatch import Routing, dispatch
from live_tail.alerts.notify.escalate import escalate
from live_tail.alerts.notify.mute import mutes
from live_tail.alerts.words.life_records import Alert, Book, Event, Notification, Silence

_DURABLE = attrgetter(
    "state",
    "level",
    "muted_by",
    "ends_at",
    "acknowledged_at",
    "episode",
    "reason",
    "groups",
    "edition",
)


@dataclass(frozen=True)
class Standing:
    """What decides besides the alerts: the policy's routing, silences, which components use which."""

    routing: Routing
    silences: Sequence[Silence]
    uses: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Settled:
    """The alerts afterwards, everything that happened to them, and what is told about it."""

    book: Book
    events: list[Event]
    told: list[Notification]

    def changed_since(self, before: Book) -> list[Alert]:
        """Episodes of which something is different that must survive a restart; values need not."""
        return [
            alert
            for name, alert in self.book.alerts.items()
            if alert.episode and _is_changed(before.alerts.get(name), alert)
        ]


def settle(book: Book, events: Sequence[Event], standing: Standing, now: datetime) -> Settled:
    """What follows, at this moment, from a change that has left the alerts as `book` says."""
    routing = standing.routing
    after = routing.policy.acknowledgement_expires_after
    forgotten = by_hand.expired_acknowledgements(book, now, after)
    book = transitions.changed(book, forgotten)
    all_events = [*events, *(Event(now, "unacknowledged", a) for a in forgotten)]
    book, muted = _muted(book, standing, now)
    groups, told = dispatch(book, routing, now)
    raised, more = escalate(book, routing, now)
    book = Book(transitions.changed(book, raised).alerts, groups, book.at)
    # Who hears of all of it at this very instant is not told twice.
    heard = {(n.channel, a.id) for n in told for a in n.firing} if more else set()
    told += [n for n in more if not all((n.channel, a.id) in heard for a in n.firing)]
    notified = {a.fingerprint: a for n in told for a in n.firing}
    all_events += [
        *muted,
        *(Event(now, "escalated", a, f"level {a.level}") for a in raised),
        *(Event(now, "notified", a) for a in notified.values()),
    ]
    return Settled(book, all_events, told)


def outgoing(told: Notification, routing: Routing, app_url: str) -> Outgoing:
    """A notification as its channel's kind reads it."""
    payload: dict[str, Any] = {
        "title": templates.title(told),
        "body": templates.body(told, app_url),
    }
    # A text ends after ten alerts; what programs read names every one of thousands.
    kind = routing.policy.channels[told.channel].type
    if kind not in READ_AS_TEXT:
        payload["alertmanager"] = templates.alertmanager(told, app_url)
    if kind == "pagerduty":
        payload["pagerduty"] = templates.pagerduty(told, app_url)
    return Outgoing(told.key, told.subject, told.channel, told.again_after, payload)


def _muted(book: Book, standing: Standing, now: datetime) -> tuple[Book, list[Event]]:
    policy = standing.routing.policy
    found = mutes(book.alerts.values(), standing.silences, policy, standing.uses, now)
    changed = [
        replace(book.alerts[name], muted_by=by, unmuted_at=None if by else now)
        for name, by in found.items()
        if book.alerts[name].muted_by != by
    ]
    events = [
        Event(now, "muted" if a.muted_by else "unmuted", a, ", ".join(a.muted_by)) for a in changed
    ]
    return transitions.changed(book, changed), events


def _is_changed(before: Alert | None, after: Alert) -> bool:
    return before is None or (before is not after and _DURABLE(before) != _DURABLE(after))
