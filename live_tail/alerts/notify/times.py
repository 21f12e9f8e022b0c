"""Recurring hours and the on-call calendar, in local time across changes of the clock.

Here: pure functions of policy and instant. Not here: what being on call leads to (`escalate`).
A time of day that a change of the clock skips is the first instant after it; one that comes twice
is its first.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from live_tail.alerts.notify.notify_policy import WEEKDAYS, Hours, Maintenance, Schedule


def is_within(hours: Iterable[Hours], zone: str, at: datetime) -> bool:
    """Whether an instant lies in one of the recurring hours of a zone."""
    today = at.astimezone(ZoneInfo(zone)).date()
    days = (today - timedelta(days=1), today)
    return any(_covers(h, zone, day, at) for h in hours for day in days)


def _covers(hours: Hours, zone: str, day: date, at: datetime) -> bool:
    if WEEKDAYS[day.weekday()] not in hours.weekdays:
        return False
    if hours.days_of_month and day.day not in hours.days_of_month:
        return False
    start = local_instant(day, hours.start, zone)
    until = day if hours.end > hours.start else day + timedelta(days=1)
    return start <= at < local_instant(until, hours.end, zone)


def is_in_maintenance(window: Maintenance, at: datetime) -> bool:
    """Whether a maintenance window is open."""
    if window.starts_at and window.ends_at:
        zone = ZoneInfo(window.time_zone)
        return _aware(window.starts_at, zone) <= at < _aware(window.ends_at, zone)
    return is_within(window.hours, window.time_zone, at)


def on_call(schedule: Schedule, at: datetime) -> str:
    """Who is on call at an instant: an override, else the member whose turn it is."""
    zone = ZoneInfo(schedule.time_zone)
    for override in schedule.overrides:
        if _aware(override.starts_at, zone) <= at < _aware(override.ends_at, zone):
            return override.member
    first = schedule.starts_on.date()
    today = at.astimezone(zone).date()
    # Days are counted on the calendar: a week with a change of the clock is still seven.
    turn = (today - first).days // schedule.every_days
    begins = first + timedelta(days=turn * schedule.every_days)
    if at < local_instant(begins, schedule.handover, schedule.time_zone):
        turn -= 1
    return schedule.members[turn % len(schedule.members)]


def next_handover(schedule: Schedule, at: datetime) -> datetime:
    """The next hand-over of the rotation, UTC."""
    first = schedule.starts_on.date()
    today = at.astimezone(ZoneInfo(schedule.time_zone)).date()
    turn = (today - first).days // schedule.every_days
    for offset in (0, 1):
        begins = first + timedelta(days=(turn + offset) * schedule.every_days)
        instant = local_instant(begins, schedule.handover, schedule.time_zone)
        if instant > at:
            return instant
    return instant


def local_instant(day: date, clock: str, zone: str) -> datetime:
    """The UTC instant of a local time of day."""
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    local = datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))
    return local.astimezone(UTC)


def _aware(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
