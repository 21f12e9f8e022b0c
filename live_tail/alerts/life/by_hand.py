"""What people and other senders do to an alert: acknowledging, resolving, sending one of their own.

Here: such a change, with the time given. Not here: what rounds change (`transitions`), whose turn it is
(`live_tail/alerts/desk/manager`).
"""

from datetime import datetime, timedelta

from live_tail.alerts.life.transitions import changed, fire, how_begun, resolved
from live_tail.alerts.words.life_records import BY_HAND, EXTERNAL, Alert, Book, Event, State
from live_tail.alerts.words.rule_records import (
    Labels,
    Severity,
    fingerprint,
    labels_of,
)

RESOLVE_TIMEOUT = timedelta(minutes=5)


class Unknown(Exception):
    """There is nothing of this name or id; the message says where those stand that are."""


class UnknownAlert(Unknown):
    """There is no such alert in a state that allows the action."""


def acknowledge(book: Book, name: str, by: str, note: str, at: datetime) -> tuple[Book, Event]:
    """Somebody looks at it: repeats and escalation end. Raises UnknownAlert."""
    alert = _active(book, name)
    after = alert.but(state=State.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=by, note=note)
    return _with(book, after), Event(at, "acknowledged", after, by)


def resolve(book: Book, name: str, by: str, at: datetime) -> tuple[Book, Event]:
    """Closed by hand; it opens again when the condition still holds after HAND_GRACE."""
    after = resolved(_active(book, name), at, BY_HAND).but(resolved_by=by)
    return _with(book, after), Event(at, "resolved", after, by)


def expired_acknowledgements(book: Book, now: datetime, after: timedelta) -> list[Alert]:
    """Acknowledged alerts that still fire when the acknowledgement is this old, firing again."""
    return [
        a.but(state=State.FIRING, acknowledged_at=None, acknowledged_by="", level=0,
                level_at=None, fired_at=a.fired_at)
        for a in book.alerts.values()
        if a.state is State.ACKNOWLEDGED and a.acknowledged_at and now - a.acknowledged_at >= after
    ]  # fmt: skip


def receive(
    book: Book, labels: Labels, at: datetime, *, starts_at: datetime, ends_at: datetime | None,
    summary: str, effect: str,
) -> tuple[Book, list[Event]]:  # fmt: skip
    """An alert of another Alertmanager or Prometheus; it lives like ours until its end."""
    given = dict(labels)
    rule = given.pop("alertname", "") or "ExternalAlert"
    severity = given.pop("severity", "")
    known = severity in set(Severity)
    own = labels_of(given)
    name = fingerprint(f"{EXTERNAL}:{rule}", own)
    alert = book.alerts.get(name) or Alert(
        name, rule, own, Severity.WARNING, State.RESOLVED, starts_at, source=EXTERNAL
    )
    is_over = ends_at is not None and ends_at <= at
    alert = alert.but(severity=Severity(severity) if known else Severity.WARNING,
        ends_at=ends_at or at + RESOLVE_TIMEOUT, summary=summary, effect=effect,
    )  # fmt: skip
    if is_over:
        if not alert.is_active:
            return book, []
        after = resolved(alert, at, "its sender ended it")
        return _with(book, after), [Event(at, "resolved", after)]
    if alert.is_active:
        return _with(book, alert), []
    after = fire(alert, at).but(started_at=starts_at)
    return _with(book, after), [Event(at, how_begun(after), after)]


def _with(book: Book, alert: Alert) -> Book:
    return changed(book, [alert])


def _active(book: Book, name: str) -> Alert:
    found = [
        a
        for a in book.alerts.values()
        if a.is_active and (a.id == name or a.fingerprint.startswith(name))
    ]
    if len(name) < 4 or len(found) != 1:
        count = "no" if not found else f"{len(found)}"
        raise UnknownAlert(
            f"{count} firing alert has the id {name[:40]!r}: see `./tta.sh monitor alerts list`."
        )
    return found[0]
