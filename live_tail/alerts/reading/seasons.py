"""What rules with a season saw, by hour, for eight weeks: what is usual at this hour of the week.

Here: gathering the values that such rules read, keeping them sealed in `state.db` across restarts,
and the usual value with its spread. Not here: judging (`trend`), reading values (`sources`). An hour
in which a series had no value tells nothing about it; the hour that runs is never its own history.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from live_tail.alerts.reading.selecting import Select
from live_tail.alerts.words.rule_records import Labels
from privacy.disk.sqlite_databases import transaction
from privacy.keys.ids import id_text
from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect

WEEKS = 8
_HOUR, _WEEK = timedelta(hours=1), timedelta(weeks=1)
_PER_WEEK = 168
_MAX_SERIES = 2_000
_WRITE_EVERY = timedelta(minutes=1)
_MAD = 1.4826

Series = tuple[str, Labels]


@dataclass(frozen=True)
class Seen:
    """The values of one series in one hour: how many, their sum and the sum of their squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def plus(self, value: float) -> "Seen":
        """With one more value."""
        return Seen(self.count + 1, self.total + value, self.squares + value * value)

    @property
    def mean(self) -> float:
        """Their mean; there is at least one."""
        return self.total / self.count

    @property
    def variance(self) -> float:
        """How much they vary within the hour."""
        return max(self.squares / self.count - self.mean**2, 0.0)


@dataclass(frozen=True)
class Usual:
    """What a series shows at an hour of the week: `weeks` of history, median and robust spread."""

    weeks: int
    median: float
    spread: float


class Hours:
    """The hours of a home's seasonal rules; without a home they live in memory only."""

    keep = WEEKS * _WEEK + _HOUR

    def __init__(self, home: Path | None = None, keys: KeyStore | None = None) -> None:
        self._db = connect(home) if home and keys else None
        self._sealer = Sealer(keys, "alert_hours") if home and keys else None
        self._seen: dict[Series, dict[datetime, Seen]] = {}
        self._usual: dict[Series, tuple[datetime, Usual | None]] = {}
        self._touched: set[datetime] = set()
        self._written_at = datetime.min
        self._restore()

    def before(self, moment: datetime) -> "Hours":
        """A copy in memory of the hours that had ended at a moment (UTC without zone)."""
        copy = Hours()
        ended = {
            series: {hour: seen for hour, seen in hours.items() if hour + _HOUR <= moment}
            for series, hours in self._seen.items()
        }
        copy._seen = {series: hours for series, hours in ended.items() if hours}
        return copy

    def usual(self, select: Select, labels: Labels, at: datetime) -> Usual | None:
        """What is usual for a series at the hour of the week of `at`; None without any history."""
        series, hour = (_name(select), labels), _hour(at)
        cached = self._usual.get(series)
        if cached is None or cached[0] != hour:
            cached = self._usual[series] = (hour, _usual(self._seen.get(series, {}), hour))
        return cached[1]

    def add(self, select: Select, values: Mapping[Labels, float], at: datetime) -> None:
        """Note what a rule read at a time (UTC without zone)."""
        hour, name = _hour(at), _name(select)
        for labels, value in values.items():
            series = (name, labels)
            if series not in self._seen and len(self._seen) >= _MAX_SERIES:
                continue
            hours = self._seen.setdefault(series, {})
            hours[hour] = hours.get(hour, Seen()).plus(value)
        self._touched.add(hour)
        if at - self._written_at >= _WRITE_EVERY or at < self._written_at:
            self._tidy(at)
            self._written_at = at

    def fill(self, select: Select, labels: Labels, hour: datetime, value: float) -> None:
        """Note the value of a whole hour that has passed."""
        self._seen.setdefault((_name(select), labels), {})[_hour(hour)] = Seen().plus(value)

    def _tidy(self, now: datetime) -> None:
        oldest = now - self.keep
        for series, hours in list(self._seen.items()):
            # Hours come in order, so the first is the oldest.
            if next(iter(hours)) >= oldest:
                continue
            left = {hour: seen for hour, seen in hours.items() if hour >= oldest}
            if left:
                self._seen[series] = left
            else:
                del self._seen[series]
                self._usual.pop(series, None)
        if self._db is None or self._sealer is None:
            self._touched.clear()
            return
        with transaction(self._db):
            for hour in sorted(self._touched):
                name = hour.isoformat()
                rows = [
                    [select, labels, seen.count, seen.total, seen.squares]
                    for (select, labels), hours in self._seen.items()
                    if (seen := hours.get(hour))
                ]
                self._db.execute(
                    "INSERT OR REPLACE INTO alert_hours (hour, sealed) VALUES (?, ?)",
                    (name, self._sealer.seal(name, {"rows": rows})),
                )
            self._db.execute("DELETE FROM alert_hours WHERE hour < ?", (oldest.isoformat(),))
        self._touched.clear()

    def _restore(self) -> None:
        if self._db is None or self._sealer is None:
            return
        for name, sealed in self._db.execute(
            "SELECT hour, sealed FROM alert_hours ORDER BY hour"
        ).fetchall():
            hour = datetime.fromisoformat(name)
            for select, labels, count, total, squares in self._sealer.open(name, sealed)["rows"]:
                series = (select, tuple((key, value) for key, value in labels))
                self._seen.setdefault(series, {})[hour] = Seen(count, total, squares)


def _usual(hours: Mapping[datetime, Seen], hour: datetime) -> Usual | None:
    """Median of the same hour of the weeks before; spread of this hour and of all hours.

    The robust deviation between weeks, the larger of this hour's own and that of all hours of the
    week (few weeks tell little about one hour), and the deviation within an hour, in quadrature.
    """
    same = [seen for week in range(1, WEEKS + 1) if (seen := hours.get(hour - week * _WEEK))]
    if not same:
        return None
    median = float(np.median([seen.mean for seen in same]))
    own = _deviation(np.array([seen.mean - median for seen in same]), len(same))
    away = _away_from_their_hours(hours, hour)
    between = max(own, _deviation(away, 0)) if len(away) else own
    within = float(np.median([seen.variance for seen in same]))
    return Usual(len(same), median, (between**2 + within) ** 0.5)


def _away_from_their_hours(hours: Mapping[datetime, Seen], hour: datetime) -> np.ndarray:
    """How far every hour before lies from the median of its hour of the week."""
    weeks = np.full((WEEKS + 1, _PER_WEEK), np.nan)
    for at, seen in hours.items():
        ago = int((hour - at) / _HOUR)
        if 0 < ago < weeks.size:
            weeks[divmod(ago, _PER_WEEK)] = seen.mean
    known = np.sum(~np.isnan(weeks), axis=0)
    weeks, known = weeks[:, known > 1], known[known > 1]
    if not len(known):
        return np.array([])
    away = (weeks - np.nanmedian(weeks, axis=0)) * np.sqrt(known / (known - 1))
    return away[~np.isnan(away)]


def _deviation(away: np.ndarray, weeks: int) -> float:
    """Median absolute deviation as a standard deviation; wider where it comes from few weeks."""
    few = (weeks / (weeks - 1)) ** 0.5 if weeks > 1 else 1.0
    return _MAD * few * float(np.median(np.abs(away)))


def _name(select: Select) -> str:
    """What is read, as a digest: a rule that reads something else begins a new history."""
    return id_text(hashlib.blake2b(select.model_dump_json().encode(), digest_size=8).hexdigest())


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
