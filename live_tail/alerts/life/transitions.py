"""The life of an alert: pending → firing → acknowledged → resolved. Pure, with the time given.

Here: what a round, a person or an external sender does to the alerts. Not here: who is told
(`dispatch`, `escalate`), what is muted (`mute`), keeping it (`store`). `step` is the only way a
round changes alerts; it returns the new book and the events, and never reads a clock.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from live_tail.alerts.rules.rule_files import rendered
from live_tail.alerts.words.digests import words
from live_tail.alerts.words.life_records import BY_HAND, EXTERNAL, Alert, Book, Event, State
from live_tail.alerts.words.rule_records import (
    Reading,
    Round,
    Rule,
    Severity,
    fingerprint,
)

# A gap between two rounds counts as at most this much observed time.
MAX_GAP = timedelta(minutes=2)
# So many fires within an hour, and the alert stays firing until it was quiet for FLAP_QUIET.
FLAP_FIRES, FLAP_WITHIN, FLAP_QUIET = 4, timedelta(hours=1), timedelta(minutes=10)
# Resolved by hand while the condition holds: it opens again after this.
HAND_GRACE = timedelta(minutes=15)
REOPENED_WITHIN = timedelta(hours=24)
FORGET_AFTER = timedelta(hours=24)
_VALUES = 30


def step(
    book: Book, rnd: Round, rules: Mapping[str, Rule], *, max_gap: timedelta = MAX_GAP
) -> tuple[Book, list[Event]]:
    """The book after a round, and what happened.

    A rule that failed or was not due keeps its alerts' state; a rule that is gone resolves them.
    """
    gap = timedelta(0) if book.at is None else min(max(rnd.at - book.at, timedelta(0)), max_gap)
    alerts = dict(book.alerts)
    events: list[Event] = []
    unknown = set(rnd.failed)
    seen: set[str] = set()
    for reading in rnd.readings:
        rule = rules.get(reading.rule)
        if rule is None or reading.rule in unknown:
            continue
        name = fingerprint(reading.rule, reading.labels)
        if name in seen:
            continue
        seen.add(name)
        before = alerts.get(name) or _fresh(name, rule, reading, rnd.at)
        _put(alerts, name, _observed(before, rule, reading, rnd.at, gap), rnd.at, events)
    for name, alert in list(alerts.items()):
        if name in seen:
            continue
        after = _unseen(alert, rnd, rules, unknown, gap)
        if after is None:
            del alerts[name]
        elif after is not alert:
            _put(alerts, name, after, rnd.at, events)
    at = rnd.at if book.at is None else max(book.at, rnd.at)
    return Book(alerts, book.groups, at), events


def hasten(
    book: Book, readings: Iterable[Reading], rules: Mapping[str, Rule], at: datetime
) -> tuple[Book, list[Event]]:
    """What begins between two rounds; alerts that fire already and observed time stay as they are."""
    alerts = dict(book.alerts)
    events: list[Event] = []
    for reading in readings:
        rule = rules.get(reading.rule)
        name = fingerprint(reading.rule, reading.labels)
        before = alerts.get(name)
        if rule is None or (before is not None and before.is_active):
            continue
        before = before or _fresh(name, rule, reading, at)
        _put(alerts, name, _observed(before, rule, reading, at, timedelta(0)), at, events)
    return Book(alerts, book.groups, book.at), events


def _put(
    alerts: dict[str, Alert], name: str, after: Alert, at: datetime, events: list[Event]
) -> None:
    before = alerts.get(name)
    alerts[name] = after
    if before is None or before.state is not after.state:
        events.append(Event(at, how_begun(after), after))


def how_begun(alert: Alert) -> str:
    """The kind of the event with which an alert has come into its state."""
    if alert.state is State.FIRING:
        return "reopened" if alert.is_reopened else "fired"
    return alert.state.value


def _fresh(name: str, rule: Rule, reading: Reading, at: datetime) -> Alert:
    # Its texts come with pending or firing.
    return _EMPTY.but(
        fingerprint=name, rule=rule.name, labels=reading.labels, severity=rule.severity,
        started_at=at,
    )  # fmt: skip


_EMPTY = Alert("", "", (), Severity.INFO, State.RESOLVED, datetime.max)


def _described(alert: Alert, rule: Rule) -> Alert:
    """What the rule says now, with the labels of this series in its texts."""

    labels = {**dict(alert.labels), **words(alert.groups)}

    def filled(text: str) -> str:
        return rendered(text, labels, alert.value)

    return alert.but(severity=rule.severity, summary=filled(rule.summary),
        effect=filled(rule.effect),
        runbook=tuple(filled(text) for text in rule.runbook), runbook_url=rule.runbook_url, route=rule.route,
        is_fast=rule.is_fast, inhibits=rule.inhibits,
    )  # fmt: skip


def _observed(alert: Alert, rule: Rule, reading: Reading, at: datetime, gap: timedelta) -> Alert:
    """The alert after a round in which its condition holds."""
    wanted, of = rule.of_last
    history = (*alert.history, True)[-of:]
    frames = tuple(str(f) for f in reading.context.get("frames", ()))[:5]
    groups = tuple(reading.context.get("groups", ()))
    alert = alert.but(
        history=history, value=reading.value, frames=frames or alert.frames, quiet=timedelta(0),
        values=(*alert.values, reading.value)[-_VALUES:], groups=groups,
    )  # fmt: skip
    if alert.is_active:
        return _edited(alert, rule, at) if groups else alert
    if sum(history) < wanted:
        return _waiting(alert, at, timedelta(0), rule)
    if alert.reason == BY_HAND and alert.state is State.RESOLVED:
        held = alert.held + gap
        return fire(_described(alert, rule), at) if held >= HAND_GRACE else alert.but(held=held)
    held = alert.held + gap if alert.state is State.PENDING else timedelta(0)
    if held >= rule.hold_for:
        return fire(_described(alert, rule), at)
    return _waiting(alert, at, held, rule)


def _edited(alert: Alert, rule: Rule, at: datetime) -> Alert:
    """A digest that changed: its texts follow quietly; what came since is told after `digest`."""
    alert = _described(alert, rule)
    keys = frozenset(one.key for one in alert.groups)
    is_due = bool(rule.digest) and at - (alert.edition_at or at) >= rule.digest
    if not is_due or keys <= alert.known:
        return alert
    return alert.but(known=keys, edition=alert.edition + 1, edition_at=at)


def _waiting(alert: Alert, at: datetime, held: timedelta, rule: Rule) -> Alert:
    if alert.state is State.PENDING:
        return alert.but(held=held)
    return _described(alert, rule).but(state=State.PENDING, started_at=at, held=held, reason="")


def fire(alert: Alert, at: datetime) -> Alert:
    """A new episode begins, unacknowledged."""
    recent = tuple(t for t in alert.recent_fires if at - t < FLAP_WITHIN)
    reopened = alert.resolved_at is not None and at - alert.resolved_at < REOPENED_WITHIN
    started = alert.started_at if alert.state is State.PENDING else at
    return alert.but(state=State.FIRING, started_at=started, fired_at=at, episode=alert.episode + 1,
        is_reopened=reopened, recent_fires=(*recent, at), acknowledged_at=None,
        acknowledged_by="", note="", resolved_at=None, resolved_by="", reason="", muted_by=(),
        unmuted_at=None, level=0, edition=1, edition_at=at,
        known=frozenset(one.key for one in alert.groups), level_at=None, held=timedelta(0),
        quiet=timedelta(0),
    )  # fmt: skip


def _unseen(
    alert: Alert, rnd: Round, rules: Mapping[str, Rule], unknown: set[str], gap: timedelta
) -> Alert | None:
    """The alert after a round that has no reading of it; None when it is forgotten."""
    if alert.source == EXTERNAL:
        is_over = alert.is_active and alert.ends_at is not None and rnd.at >= alert.ends_at
        return resolved(alert, rnd.at, "its sender ended it") if is_over else _kept(alert, rnd.at)
    if alert.rule not in rules:
        if alert.is_active:
            return resolved(alert, rnd.at, "its rule was removed")
        return _kept(alert, rnd.at) if alert.episode else None
    if alert.rule in unknown or (rnd.evaluated and alert.rule not in rnd.evaluated):
        return alert
    return _missed(alert, rules[alert.rule], rnd.at, gap)


def _missed(alert: Alert, rule: Rule, at: datetime, gap: timedelta) -> Alert | None:
    wanted, of = rule.of_last
    history = (*alert.history, False)[-of:]
    alert = alert.but(history=history)
    if of > 1 and sum(history) >= wanted:
        return alert
    if alert.is_active:
        quiet = alert.quiet + gap
        is_over = quiet >= _keep_for(alert, rule, at)
        changed = alert.but(quiet=quiet)
        return resolved(changed, at, "the condition ended") if is_over else changed
    if alert.state is State.PENDING:
        if of > 1 and any(history):
            return alert.but(held=timedelta(0))
        if not alert.episode:
            return None
        return alert.but(state=State.RESOLVED, held=timedelta(0))
    # Once the condition has ended, a resolution by hand has done its work.
    reason = "the condition ended" if alert.reason == BY_HAND else alert.reason
    return _kept(alert.but(reason=reason, held=timedelta(0)), at)


def _keep_for(alert: Alert, rule: Rule, at: datetime) -> timedelta:
    fires = sum(at - t < FLAP_WITHIN for t in alert.recent_fires)
    return max(rule.keep_firing_for, FLAP_QUIET if fires >= FLAP_FIRES else timedelta(0))


def _kept(alert: Alert, at: datetime) -> Alert | None:
    is_old = alert.resolved_at is not None and at - alert.resolved_at > FORGET_AFTER
    return None if is_old and alert.state is State.RESOLVED else alert


def resolved(alert: Alert, at: datetime, reason: str) -> Alert:
    """The episode is over; its acknowledgement goes with it."""
    return alert.but(
        state=State.RESOLVED, resolved_at=at, reason=reason, muted_by=(), held=timedelta(0)
    )


def changed(book: Book, alerts: Iterable[Alert]) -> Book:
    """The book with these alerts in place of those before."""
    return Book({**book.alerts, **{a.fingerprint: a for a in alerts}}, book.groups, book.at)
