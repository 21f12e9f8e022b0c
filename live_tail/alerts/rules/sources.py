"""Where rules read: series of metrics and facts of the hot window, as values by labels.

Here: selecting, rates with resets, quantiles of histograms, folding by labels, SQL rules within
limits. Not here: facts' SQL (`facts`), conditions (`evaluate`).
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb
import numpy as np

from live_tail.alerts.rules.facts import (
    HotTables,
    OneLook,
    Rows,
    asked,
    bad_and_total,
    known_since,
    read_fact,
    uses,
)
from live_tail.alerts.rules.histograms import (
    NUMBERED,
    Growth,
    Part,
    grown,
    histogram_value,
    is_of_histograms,
    part_of,
    same_number,
)
from live_tail.alerts.rules.seasons import Hours
from live_tail.alerts.rules.spec import Select, Sql, Where
from live_tail.alerts.words.model import GroupChange, Labels, labels_of
from live_tail.window.queries.asking import tables_in
from live_tail.window.window import Window

Vector = dict[Labels, float]
_POINTS = ("hot_points", "hot_histograms")
_FOLDS: Mapping[str, Callable[[list[float]], float]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "count": len,
}
_ADDED = frozenset({"rate", "increase", "count", "sum", "errors"})
_PLAIN = {
    "last": "max_by(last, last_at)",
    "avg": "sum(total) / sum(n)",
    "min": "min(low)",
    "max": "max(high)",
    "sum": "sum(total)",
    "count": "sum(n)",
}
_OF_NUMBERS = frozenset({"rate", "increase", *_PLAIN})
# The last point before the span is the base; a series that began inside it began at zero. A
# smaller value, or a start after the point before, is a restart from zero.
_INCREASES = """
WITH steps AS (
    SELECT series, last_at, start_at, last,
        lag(last) OVER w AS before, lag(last_at) OVER w AS before_at
    FROM hot_points WHERE series IN (SELECT unnest($series)) AND last_at > $base AND last_at <= $end
        AND NOT is_history
    WINDOW w AS (PARTITION BY series ORDER BY last_at)
)
SELECT series, sum(CASE
    WHEN before IS NULL THEN CASE WHEN start_at >= $start THEN last ELSE 0 END
    WHEN last < before OR start_at > before_at THEN last
    ELSE last - before END)
FROM steps WHERE last_at > $start GROUP BY series
"""


class ErrorGroupsUnavailable(Exception):
    """No stream of error groups is connected, so the rule cannot be judged."""


@dataclass
class Sources:
    """Reads one window; `groups` gives error-group changes since a time, `marts` a connection.

    `hours` holds what seasonal rules saw; `unjudged` is why the rule at hand could not judge some
    series, empty when it could.
    """

    window: HotTables
    groups: Callable[[datetime], Sequence[GroupChange]] | None = None
    marts: Callable[[], duckdb.DuckDBPyConnection] | None = None
    hours: Hours = field(default_factory=Hours)
    unjudged: str = ""
    _matching: dict[tuple[str, str], tuple[int, list[int]]] = field(default_factory=dict)

    def for_one_look(self) -> "Sources":
        """The same, for rules that are judged together: what one has asked the next is told."""
        groups = cache(self.groups) if self.groups else None
        return replace(self, window=OneLook(self.window), groups=groups, unjudged="")

    def vector(self, select: Select, at: datetime, *, worst: str = "max") -> Vector:
        """One value per set of labels at a time; `worst` folds series that share their labels."""
        if select.fact:
            rows = read_fact(self.window, select, at)
            return _folded([row for row in rows if matches(select.where, row[0])], select, worst)
        named, part = self._series(select), part_of(select, self.window.points)
        if part is not None and not (self._series(part.select) and (part.can_answer or not named)):
            part = None
        if not named and part is None:
            return {}
        cursor = self.window.cursor(*_POINTS)
        try:
            rows = self._metric(cursor, select, at) if named else []
            if part is not None:
                rows += self._told_parts(cursor, part, select, at, [labels for labels, _ in rows])
            return _folded(rows, select, worst)
        finally:
            cursor.close()

    def history(self, select: Select, at: datetime) -> dict[Labels, tuple[np.ndarray, np.ndarray]]:
        """Times (seconds before `at`, negative) and values of gauges, by labels."""
        series = self._series(select)
        rows = asked(
            self.window,
            _POINTS,
            "SELECT series, epoch(last_at - ?::TIMESTAMP), last FROM hot_points"
            " WHERE series IN (SELECT unnest(?)) AND last_at > ? AND last_at <= ?"
            " AND NOT is_history ORDER BY last_at",
            [at, series, at - select.over, at],
        )
        points: dict[Labels, list[tuple[float, float]]] = {}
        for number, seconds, value in rows:
            labels = labels_of(_only(self.window.points.series[number].labels, select.by))
            points.setdefault(labels, []).append((seconds, value))
        return {
            labels: (np.array([t for t, _ in some]), np.array([v for _, v in some]))
            for labels, some in points.items()
        }

    def uses(self) -> frozenset[tuple[str, str]]:
        """Which component uses which dependency, as the window shows."""
        return frozenset(uses(self.window))

    def minutes(
        self, at: datetime, over: Any, *, is_going_on: bool = False
    ) -> dict[tuple[str, str], tuple[int, int]]:
        """Bad and all events by component and source; without history when it is asked what goes on."""
        return bad_and_total(self.window, at, over, with_past=not is_going_on)

    def known_since(self, at: datetime) -> dict[str, datetime]:
        """When each component was first heard of, by the clock of the receiver."""
        return known_since(self.window, at)

    def sql(self, rule: Sql, at: datetime) -> Rows:
        """Rows of an SQL rule ($now is `at`); raises when it is slow or gives too many rows."""
        if rule.source == "marts":
            if self.marts is None:
                raise LookupError("no marts")
            con = self.marts()
        else:
            con = self.window.cursor(*tables_in(rule.query))
        timer = threading.Timer(rule.max_s, con.interrupt)
        timer.start()
        try:
            result = con.execute(rule.query, {"now": at} if "$now" in rule.query else None)
            names = [column[0] for column in result.description or []]
            rows = result.fetchmany(rule.max_rows + 1)
        finally:
            timer.cancel()
            con.close()
        if len(rows) > rule.max_rows:
            raise OverflowError("too many rows")
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [
            ({name: str(row[name]) for name in rule.labels}, float(row["value"]))
            for row in found
            if row["value"] is not None
        ]

    def _series(self, select: Select) -> list[int]:
        points = self.window.points
        known = points.by_metric.get(select.metric, [])
        key = (select.metric, repr(select.where))
        newest = known[-1] if known else -1
        cached = self._matching.get(key)
        # A series that went leaves no points, so only new ones make the list stale.
        if cached is None or cached[0] != newest:
            chosen = [s for s in known if matches(select.where, points.series[s].labels)]
            cached = self._matching[key] = (newest, chosen)
        return cached[1]

    def _metric(self, cursor: duckdb.DuckDBPyConnection, select: Select, at: datetime) -> Rows:
        """Rows of the series that can answer: one sender's histogram hides no counter of its name.

        Raises ValueError when none can.
        """
        chosen = self._series(select)
        series = self.window.points.series
        end = at - select.offset
        start = end - select.over
        histograms = [s for s in chosen if series[s].shape.startswith("histogram")]
        numbers = [s for s in chosen if not series[s].shape.startswith("histogram")]
        rows: Rows = []
        if histograms and (not numbers or is_of_histograms(select.value)):
            rows += self._histograms(cursor, select, histograms, start, end)
        if numbers and (not histograms or select.value in _OF_NUMBERS):
            rows += self._numbers(cursor, select, numbers, start, end)
        return rows

    def _numbers(
        self,
        cursor: duckdb.DuckDBPyConnection,
        select: Select,
        chosen: list[int],
        start: datetime,
        end: datetime,
    ) -> Rows:
        series = self.window.points.series
        found: list[tuple[int, float]] = []
        if select.value in {"rate", "increase"}:
            delta = [s for s in chosen if series[s].shape == "delta"]
            found = cursor.execute(
                _INCREASES,
                {"series": chosen, "start": start, "end": end, "base": start - select.over},
            ).fetchall()
            found = [(s, v) for s, v in found if series[s].shape != "delta"]
            if delta:
                found += self._plain(cursor, "sum", delta, start, end)
            if select.value == "rate":
                found = [(s, v / select.over.total_seconds()) for s, v in found]
        else:
            found = self._plain(cursor, select.value, chosen, start, end)
        return [(series[s].labels, float(v)) for s, v in found if v is not None]

    def _plain(
        self,
        cursor: duckdb.DuckDBPyConnection,
        value: str,
        series: list[int],
        start: datetime,
        end: datetime,
    ) -> list[tuple[int, float]]:
        if value not in _PLAIN:
            raise ValueError(f"the metric has no {value}: it is no histogram")
        return cursor.execute(
            f"SELECT series, {_PLAIN[value]} FROM hot_points WHERE series IN (SELECT unnest(?))"
            " AND last_at > ? AND last_at <= ? AND NOT is_history GROUP BY series",
            [series, start, end],
        ).fetchall()

    def _histograms(
        self,
        cursor: duckdb.DuckDBPyConnection,
        select: Select,
        chosen: list[int],
        start: datetime,
        end: datetime,
    ) -> Rows:
        grouped: dict[Labels, list[Growth]] = {}
        for number, grew, _ in self._growth(cursor, select, chosen, start, end):
            if grew is not None:
                labels = labels_of(_only(self.window.points.series[number].labels, select.by))
                grouped.setdefault(labels, []).append(grew)
        values = [(dict(k), histogram_value(select, some)) for k, some in grouped.items()]
        return [(labels, value) for labels, value in values if value is not None]

    def _told_parts(
        self,
        cursor: duckdb.DuckDBPyConnection,
        part: Part,
        select: Select,
        at: datetime,
        named: list[dict[str, str]],
    ) -> Rows:
        """The parts that match; where a series of its own has name and labels of one, that one is it."""
        taken = {labels_of(labels) for labels in named}
        return [
            (part.told(labels), value)
            for labels, value in self._parts(cursor, part, at)
            if matches(select.where, labels) and labels_of(labels) not in taken
        ]

    def _parts(self, cursor: duckdb.DuckDBPyConnection, part: Part, at: datetime) -> Rows:
        """One row for each series, and for each of its buckets where buckets are asked for."""
        end = at - part.select.offset
        series = self.window.points.series
        chosen = [s for s in self._series(part.select) if series[s].shape.startswith("histogram")]
        grown_by: dict[int, list[Growth]] = {}
        newest: dict[int, Growth] = {}
        for number, grew, now in self._growth(
            cursor, part.select, chosen, end - part.select.over, end
        ):
            newest[number] = now
            if grew is not None:
                grown_by.setdefault(number, []).append(grew)
        wanted = newest if part.select.value == "last" else grown_by
        return [
            ({**series[number].labels, **more}, value)
            for number in wanted
            for more, value in part.value(grown_by.get(number, []), newest[number])
        ]

    def _growth(
        self,
        cursor: duckdb.DuckDBPyConnection,
        select: Select,
        chosen: list[int],
        start: datetime,
        end: datetime,
    ) -> Iterator[tuple[int, Growth | None, Growth]]:
        """By point: its series, what it adds to the one before where that is known, and itself."""
        rows = cursor.execute(
            "SELECT series, last_at, start_at, n, total, bounds, counts FROM hot_histograms"
            " WHERE series IN (SELECT unnest(?)) AND last_at > ? AND last_at <= ? AND NOT is_history"
            " ORDER BY series, last_at",
            [chosen, start - select.over, end],
        ).fetchall()
        previous: tuple[Any, ...] | None = None
        for row in rows:
            number, at, began = row[0], row[1], row[2]
            before = previous if previous is not None and previous[0] == number else None
            previous = row
            if at <= start:
                continue
            shape = self.window.points.series[number].shape
            is_new = before is None and began is not None and began >= start
            now = float(row[3]), float(row[4] or 0.0), list(row[5] or []), list(row[6] or [])
            yield number, grown(row, before, is_delta=shape.endswith("delta"), is_new=is_new), now


def group_changes(window: Window, since: datetime) -> list[GroupChange]:
    """Error groups that became new, regressed or escalating since a time (UTC without zone)."""
    now = window.now()
    if not window.has("hot_error_groups"):
        return []
    cursor = window.cursor("hot_error_groups")
    try:
        minutes = max(int((now - since).total_seconds() / 60), 1)
        found = window.errors.noteworthy(cursor, now, minutes=minutes)
    finally:
        cursor.close()
    return [
        GroupChange(
            group.state.value,
            {**{k: v for k, v in group.labels if v and k != "severity"}, "group": group.key},
            since=_utc(group.since),
            error=group.title,
            place=next(iter(group.top_frames), ""),
            count=group.count,
        )
        for group in found
        if _utc(group.since) >= since
    ]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def matches(where: Where, labels: Mapping[str, str]) -> bool:
    """Whether labels meet every matcher: `value`, `!value`, `~regex`, `!~regex` or a list."""
    for name, matcher in where.items():
        value = labels.get(name, "")
        options = matcher if isinstance(matcher, list) else [matcher]
        if name in NUMBERED and any(same_number(option, value) for option in options):
            continue
        if not any(_matches_one(option, value) for option in options):
            return False
    return True


def _matches_one(matcher: str, value: str) -> bool:
    if matcher.startswith("!~"):
        return re.fullmatch(matcher[2:], value) is None
    if matcher.startswith("~"):
        return re.fullmatch(matcher[1:], value) is not None
    if matcher.startswith("!"):
        return value != matcher[1:]
    return value == matcher


def _only(labels: Mapping[str, str], by: list[str] | None) -> dict[str, str]:
    return dict(labels) if by is None else {k: v for k, v in labels.items() if k in by}


def _folded(rows: Rows, select: Select, worst: str) -> Vector:
    fold = _FOLDS[select.reduce or ("sum" if select.value in _ADDED else worst)]
    grouped: dict[Labels, list[float]] = {}
    for labels, value in rows:
        grouped.setdefault(labels_of(_only(labels, select.by)), []).append(value)
    return {
        k: v[0] if len(v) == 1 and fold is not len else float(fold(v)) for k, v in grouped.items()
    }
