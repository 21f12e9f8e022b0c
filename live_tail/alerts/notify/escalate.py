"""Escalation: who is told next while nobody acknowledges. Pure.

Here: levels, delays and the people behind a target. Not here: the first notification (`dispatch`).
Alerts that reach the same level at the same instant are told in one message.
Delays count from the moment of firing (or of the end of a mute) on the clock, so a restart or a
change of daylight saving moves nothing; a level that was missed while the process was down is told
at once, the highest only.
"""

from datetime import datetime, timedelta

from live_tail.alerts.notify.dispatch import Routing, dedup_key
from live_tail.alerts.notify.notify_policy import Escalation, Policy
from live_tail.alerts.notify.times import on_call
from live_tail.alerts.words.life_records import Alert, Book, Notification, State


def escalate(book: Book, routing: Routing, now: datetime) -> tuple[list[Alert], list[Notification]]:
    """Alerts that went up a level, and what is to be told."""
    raised: dict[tuple[str, int], tuple[Escalation, list[Alert]]] = {}
    for alert in book.alerts.values():
        if alert.state is not State.FIRING or alert.muted_by or alert.fired_at is None:
            continue
        chosen = routing.escalation(alert)
        level = chosen and _level(alert, chosen, now)
        if not chosen or level is None:
            continue
        _, some = raised.setdefault((chosen.name, level), (chosen, []))
        some.append(alert.but(level=level, level_at=now))
    told = [
        notification
        for chosen, some in raised.values()
        for notification in _tell(some, chosen, routing.policy, now)
    ]
    return [alert for _, some in raised.values() for alert in some], told


def next_step(alert: Alert, routing: Routing) -> tuple[datetime, tuple[str, ...]] | None:
    """When the next level is told if nobody acknowledges, and whom."""
    chosen = routing.escalation(alert)
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


def _tell(
    alerts: list[Alert], chosen: Escalation, policy: Policy, now: datetime
) -> list[Notification]:
    level = alerts[0].level
    ids = [alert.id for alert in alerts]
    about = ids[0] if len(ids) == 1 else dedup_key(*ids)
    found: dict[str, Notification] = {}
    for target in chosen.levels[level - 1].notify:
        for channel, who in channels_of(target, policy, now):
            key = dedup_key("escalation", about, str(level), now.isoformat(), channel)
            found[channel] = Notification(
                key=key, subject=f"escalation:{about}", channel=channel, receiver=target,
                reason=f"level {level}", firing=tuple(alerts), resolved=(), target=who,
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
