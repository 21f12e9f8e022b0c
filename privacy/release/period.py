"""Periods: the day, ISO week or month that a release is about, under one label each.

Here: parsing, labelling, first and last day, in UTC. Not here: which rows fall into a period; the caller
selects them. One label per period is what makes `published once` mean something. Source: ISO 8601 (week
dates).
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

_LABELS = {
    "day": re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII),
    "week": re.compile(r"(\d{4})-W(\d{2})\Z", re.ASCII),
    "month": re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII),
}


class PeriodProblem(ValueError):
    """A period's label is not one of a day, an ISO week or a month."""


class PeriodKind(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def per_28_days(self) -> int:
        """How many periods of this kind end in any 28 consecutive days, at most."""
        return {"day": 28, "week": 4, "month": 1}[self.value]


@dataclass(frozen=True)
class Period:
    """One period; `first` and `last` are its first and last day in UTC."""

    kind: PeriodKind
    first: date
    last: date

    @classmethod
    def containing(cls, kind: PeriodKind, day: date) -> "Period":
        """The period of this kind that holds the day."""
        if kind is PeriodKind.DAY:
            return cls(kind, day, day)
        if kind is PeriodKind.WEEK:
            first = day - timedelta(days=day.weekday())
            return cls(kind, first, first + timedelta(days=6))
        length = calendar.monthrange(day.year, day.month)[1]
        return cls(kind, day.replace(day=1), day.replace(day=length))

    @classmethod
    def parse(cls, label: str) -> "Period":
        """`2026-03-02` (day), `2026-W10` (ISO 8601 week) or `2026-03` (month); else raises PeriodProblem."""
        try:
            if _LABELS["day"].match(label):
                return cls.containing(PeriodKind.DAY, date.fromisoformat(label))
            if found := _LABELS["week"].match(label):
                monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
                return cls.containing(PeriodKind.WEEK, monday)
            if found := _LABELS["month"].match(label):
                return cls.containing(PeriodKind.MONTH, date(int(found[1]), int(found[2]), 1))
        except ValueError as error:
            raise PeriodProblem(f"there is no period {label}: {error}.") from None
        raise PeriodProblem("a period is written 2026-03-02, 2026-W10 or 2026-03.")

    @property
    def label(self) -> str:
        """The one way this period is written."""
        if self.kind is PeriodKind.DAY:
            return self.first.isoformat()
        if self.kind is PeriodKind.WEEK:
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02d}"
        return f"{self.first:%Y-%m}"

    def is_over(self, now: datetime) -> bool:
        """Whether the last day has passed in UTC."""
        end = datetime.combine(self.last + timedelta(days=1), time(), UTC)
        return now.astimezone(UTC) >= end
