"""Days, weeks and months that reports are about, in the zone of a home.

Here: which moments (UTC) a period holds, its neighbours, its name, reading one that somebody typed. Not
here: what happens in it. A day begins at the zone's midnight: where clocks change it has 23 or 25 hours.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_FORMS = {
    "daily": "a day such as 2026-11-29",
    "weekly": "a week such as 2026-W48, or a day in it",
    "monthly": "a month such as 2026-11",
}
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


class PeriodProblem(Exception):
    """No period can be read from what was typed; the message says what can."""


class Cadence(StrEnum):
    """How long a period is."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class ReportPeriod:
    """One period: its first day in the zone (an IANA name); weeks begin on Monday."""

    cadence: Cadence
    first: date
    zone: str = "UTC"

    @property
    def start_at(self) -> datetime:
        """Its first moment, UTC."""
        return _midnight(self.first, self.zone)

    @property
    def end_at(self) -> datetime:
        """The first moment after it, UTC."""
        return _midnight(self.next.first, self.zone)

    @property
    def last(self) -> date:
        """Its last day in the zone."""
        return self.next.first - _DAY

    @property
    def next(self) -> "ReportPeriod":
        """The period after it."""
        length = {Cadence.DAILY: 1, Cadence.WEEKLY: 7, Cadence.MONTHLY: 31}[self.cadence]
        return _holding(self.cadence, self.first + length * _DAY, self.zone)

    @property
    def previous(self) -> "ReportPeriod":
        """The period before it."""
        return _holding(self.cadence, self.first - _DAY, self.zone)

    @property
    def days(self) -> tuple["ReportPeriod", ...]:
        """Its days."""
        count = (self.next.first - self.first).days
        return tuple(
            ReportPeriod(Cadence.DAILY, self.first + n * _DAY, self.zone) for n in range(count)
        )

    @property
    def label(self) -> str:
        """`2026-11-29`, `2026-W48`, `2026-11`."""
        if self.cadence is Cadence.WEEKLY:
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02d}"
        text = self.first.isoformat()
        return text[:7] if self.cadence is Cadence.MONTHLY else text

    @property
    def words(self) -> str:
        """As a sentence names it."""
        if self.cadence is Cadence.MONTHLY:
            return f"{_MONTHS[self.first.month - 1]} {self.first.year}"
        if self.cadence is Cadence.DAILY:
            return f"{_WEEKDAYS[self.first.weekday()]} {_day(self.first)}"
        return f"Week {self.first.isocalendar().week}, {_day(self.first)} to {_day(self.last)}"

    @property
    def previous_words(self) -> str:
        """What figures are compared with."""
        return {"daily": "the day", "weekly": "the week", "monthly": "the month"}[
            self.cadence
        ] + " before"

    def local(self, moment: datetime) -> str:
        """A moment (UTC) as its zone's clocks show it, to the minute."""
        return moment.astimezone(ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M")


def period_holding(cadence: Cadence, moment: datetime, zone: str) -> ReportPeriod:
    """The period in which a moment (aware) falls."""
    return _holding(cadence, moment.astimezone(ZoneInfo(zone)).date(), zone)


def latest_over(cadence: Cadence, now: datetime, zone: str) -> ReportPeriod:
    """The newest period that is over at a moment (aware)."""
    return period_holding(cadence, now, zone).previous


def read_period(cadence: Cadence, text: str, zone: str) -> ReportPeriod:
    """The period that somebody names by its label or, for days and weeks, by a day; raises PeriodProblem."""
    try:
        return _holding(cadence, _first_day(cadence, text.strip()), zone)
    except ValueError:
        raise PeriodProblem(
            f"that is no period of a {cadence} report: name {_FORMS[cadence]}."
        ) from None


def _first_day(cadence: Cadence, text: str) -> date:
    if cadence is Cadence.MONTHLY and re.fullmatch(r"\d{4}-\d\d", text):
        return date.fromisoformat(f"{text}-01")
    if cadence is Cadence.WEEKLY and (found := re.fullmatch(r"(\d{4})-W(\d\d)", text)):
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError
    return date.fromisoformat(text)


def _holding(cadence: Cadence, day: date, zone: str) -> ReportPeriod:
    if cadence is Cadence.WEEKLY:
        day -= day.weekday() * _DAY
    elif cadence is Cadence.MONTHLY:
        day = day.replace(day=1)
    return ReportPeriod(cadence, day, zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
