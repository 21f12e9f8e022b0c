"""The budget: what all releases together may tell about one person in 28 days.

Here: adding up, refusing, the statement for the privacy page. Not here: the entries (`release_ledger`).
Basic composition: epsilons of all marts add up, as if every person were in every one of them. A release
counts on the last day of its period; in any 28 consecutive days end at most 28 days, 4 weeks and 1
month. The recommended marts (daily 0.1, three weekly at 0.25, monthly 0.5) come to 2.8 + 3.0 + 0.5 =
6.3, which is the default budget. Source: Dwork and Roth 2014, The Algorithmic Foundations of
Differential Privacy, 3.5 (basic composition).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from privacy.release.release_ledger import Entry
from privacy.release.release_spec import Histogram

DAYS = 28
DEFAULT_EPSILON = 6.3
_MICRO = 1_000_000
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class MartLine:
    """One mart's part in the statement; `epsilon_each` is None for k-anonymity."""

    mart: str
    mechanism: str
    period: str
    epsilon_each: float | None
    releases_in_window: int
    epsilon_in_window: float | None
    releases_ever: int


@dataclass(frozen=True)
class Statement:
    """Per person and 28 days, by basic composition.

    `spent` is that of the window shown (the 28 days up to `until`), `most` of the fullest window
    ever. `most_by_activity` counts every release whose period shares a day with 28 days of activity:
    weeks and months reach over the window's ends, so it can exceed `most`.
    """

    budget: float
    since: date
    until: date
    spent: float
    left: float
    most: float
    most_by_activity: float
    marts: tuple[MartLine, ...]
    without_bound: tuple[str, ...]

    @property
    def text(self) -> str:
        """The statement in words, for the privacy page."""
        words = (
            f"From {self.since} to {self.until} published engagement figures cost each person at most "
            f"epsilon {self.spent:g} of {self.budget:g} allowed in any {DAYS} days (basic composition "
            "over all marts, one cell per person, mart and period). The fullest "
            f"{DAYS} days so far came to {self.most:g}; counting every period that touches {DAYS} "
            f"days of a person's activity, {self.most_by_activity:g}."
        )
        if self.without_bound:
            words += (
                f" Not bounded by it: {', '.join(self.without_bound)}, published with k-anonymity, for "
                "which no epsilon can be stated."
            )
        return words


@dataclass(frozen=True)
class Plan:
    """What a set of specs will cost per person and 28 days when every period is released."""

    budget: float
    total: float
    by_mart: dict[str, float]

    @property
    def fits(self) -> bool:
        """Whether all of it can be released."""
        return self.total <= self.budget


def over_budget(
    entries: Iterable[Entry], last: date, micro_epsilon: int, budget: float
) -> str | None:
    """Why a release whose period ends on `last` would exceed the budget, or None."""
    by_day = _by_last_day(entries)
    by_day[last] += micro_epsilon
    allowed = int(Decimal(str(budget)) * _MICRO)
    for offset in range(DAYS):
        first = last - offset * _DAY
        total = sum(by_day.get(first + i * _DAY, 0) for i in range(DAYS))
        if total > allowed:
            return (
                f"epsilon {micro_epsilon / _MICRO:g} more would make {total / _MICRO:g} in the {DAYS} "
                f"days from {first}, of {budget:g} allowed per person"
            )
    return None


def statement(entries: Sequence[Entry], budget: float, until: date) -> Statement:
    """What was spent in the 28 days up to and including `until`, and at most ever."""
    since = until - (DAYS - 1) * _DAY
    by_day = _by_last_day(entries)
    spent = sum(e for day, e in by_day.items() if since <= day <= until)
    windows = [sum(by_day.get(day + i * _DAY, 0) for i in range(DAYS)) for day in sorted(by_day)]
    bounded = [entry for entry in entries if entry.micro_epsilon is not None]
    touching = [_touching(bounded, entry.span.last) for entry in bounded]
    return Statement(
        budget=budget,
        since=since,
        until=until,
        spent=spent / _MICRO,
        left=(int(Decimal(str(budget)) * _MICRO) - spent) / _MICRO,
        most=max(windows, default=0) / _MICRO,
        most_by_activity=max(touching, default=0) / _MICRO,
        marts=tuple(_lines(entries, since, until)),
        without_bound=tuple(sorted({e.mart for e in entries if e.micro_epsilon is None})),
    )


def plan(specs: Sequence[Histogram], budget: float = DEFAULT_EPSILON) -> Plan:
    """What the specs cost together; k-anonymity has no epsilon and is left out."""
    micro = {s.mart: (s.micro_epsilon or 0) * s.period.per_28_days for s in specs}
    return Plan(budget, sum(micro.values()) / _MICRO, {m: e / _MICRO for m, e in micro.items()})


def _by_last_day(entries: Iterable[Entry]) -> dict[date, int]:
    by_day: dict[date, int] = defaultdict(int)
    for entry in entries:
        by_day[entry.span.last] += entry.micro_epsilon or 0
    return by_day


def _touching(entries: Sequence[Entry], first: date) -> int:
    """Micro-epsilon of all periods that share a day with the 28 days from `first`."""
    last = first + (DAYS - 1) * _DAY
    spans = ((entry.span, entry.micro_epsilon or 0) for entry in entries)
    return sum(micro for span, micro in spans if span.first <= last and span.last >= first)


def _lines(entries: Sequence[Entry], since: date, until: date) -> list[MartLine]:
    groups: dict[tuple[str, str, str, int | None], list[Entry]] = defaultdict(list)
    for entry in entries:
        key = (entry.mart, entry.mechanism, entry.span.kind.value, entry.micro_epsilon)
        groups[key].append(entry)
    lines = []
    for (mart, mechanism, period, micro), group in sorted(groups.items(), key=lambda g: str(g[0])):
        inside = sum(since <= entry.span.last <= until for entry in group)
        each = None if micro is None else micro / _MICRO
        total = None if micro is None else inside * micro / _MICRO
        lines.append(MartLine(mart, mechanism, period, each, inside, total, len(group)))
    return lines
