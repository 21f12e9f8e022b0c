"""Escalation: who is told next while nobody acknowledges. Pure.

Here: levels, delays and the people behind a target. Not here: the first notification (`dispatch`).
Delays count from the moment of firing (or of the end of a mute) on the clock, so a restart or a
change of daylight saving moves nothing; a level that was missed while the process was down is told
at once, the highest only.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from live_tail.alerts.dispatch import dedup_key, ways
from live_tail.alerts.policy import Escalation, Policy
from live_tail.alerts.records import Alert, Book, Notification, State
from live_tail.alerts.times import on_call


def escalate(book: Book, policy: Policy, now: datetime) -> tuple[list[Alert], list[Notification]]:
    """Alerts that went up a level, and what is to be told."""
    raised: list[Alert] = []
    told: list[Notification] = []
    for alert in book.alerts.values():
        if alert.state is not State.FIRING or alert.muted_by or alert.fired_at is None:
            continue
        chosen = policy_of(alert, policy)
        level = chosen and _level(alert, chosen, now)
        if not chosen or level is None:
            continue
        after = replace(alert, level=level, level_at=now)
        raised.append(after)
        told += _tell(after, chosen, policy, now)
    return raised, told


def policy_of(alert: Alert, policy: Policy) -> Escalation | None:
    """The escalation that the alert's route names."""
    names = [w.escalation for w in ways(policy, alert) if w.escalation]
    return next((e for e in policy.escalations if e.name in names), None)


def next_step(alert: Alert, policy: Policy) -> tuple[datetime, tuple[str, ...]] | None:
    """When the next level is told if nobody acknowledges, and whom."""
    chosen = policy_of(alert, policy)
    heard_at = alert.heard_at
    if chosen is None or alert.state is not State.FIRING or heard_at is None:
        return None
    if alert.level < len(chosen.levels):
        level = chosen.levels[alert.level]
        return heard_at + level.after, level.notify
    at = alert.level_at or heard_at
    return at + chosen.repeat_interval, chosen.levels[-1].notify


def _level(alert: Alert, chosen: Escalation, now: datetime) -> int | None:
    """The level to tell now (from 1), or None."""
    age = now - (alert.heard_at or now)
    reached = sum(level.after <= age for level in chosen.levels)
    if reached > alert.level:
        return reached
    if chosen.levels and alert.level >= len(chosen.levels) and alert.level_at:
        return alert.level if now - alert.level_at >= chosen.repeat_interval else None
    return None


def _tell(alert: Alert, chosen: Escalation, policy: Policy, now: datetime) -> list[Notification]:
    found: dict[str, Notification] = {}
    for target in chosen.levels[alert.level - 1].notify:
        for channel, who in channels_of(target, policy, now):
            key = dedup_key("escalation", alert.id, str(alert.level), now.isoformat(), channel)
            found[channel] = Notification(
                key=key, subject=f"escalation:{alert.id}", channel=channel, receiver=target,
                reason=f"level {alert.level}", firing=(alert,), resolved=(), target=who,
                again_after=chosen.repeat_interval or timedelta(minutes=15),
            )  # fmt: skip
    return list(found.values())


def channels_of(target: str, policy: Policy, now: datetime) -> list[tuple[str, str]]:
    """(channel, who) behind `channel:NAME`, `receiver:NAME` or `on-call:NAME`."""
    kind, _, name = target.partition(":")
    if kind == "channel":
        return [(name, "")]
    if kind == "receiver":
        return [(c, "") for c in policy.receiver(name).channels]
    schedule = next(s for s in policy.schedules if s.name == name)
    member = on_call(schedule, now)
    person = next(p for p in policy.people if p.name == member)
    return [(c, member) for c in person.channels]
