"""Metrics of the hot window as values by labels: gauges, rates with resets, quantiles of histograms.

Here: choosing series, and SQL over their points. Not here: facts (`facts`), what a histogram's growth says
(`histograms`), folding (`matching`).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import numpy as np

from live_tail.alerts.reading.histogram_readings import (
    Growth,
    Part,
    grown,
    histogram_value,
    is_of_histograms,
    part_of,
)
from live_tail.alerts.reading.hot_tables import HotTables, Rows, asked
from live_tail.alerts.reading.matching import matches, only
from live_tail.alerts.reading.selecting import Select
from live_tail.alerts.words.rule_records import Labels, labels_of

_POINTS = ("hot_points", "hot_histograms")
_PLAIN = {
    "last": "max_by(last, row(last_at, last))",
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
Matching = dict[tuple[str, str], tuple[int, list[int]]]
"""By metric and matchers: the newest series that was looked at, and the series that match."""


class Metrics:
    """Reads the points of one window; `matching` remembers which series a selection takes."""

    def __init__(self, window: HotTables, matching: Matching) -> None:
        self.window, self._matching = window, matching

    def values(self, select: Select, at: datetime) -> Rows:
        """One row for each series that the selection takes, at a time (UTC without zone).

        Raises ValueError for a value that the metric does not have.
        """
        named, part = self._series(select), part_of(select, self.window.points)
        if part is not None and not (self._series(part.select) and (part.can_answer or not named)):
            part = None
        if not named and part is None:
            return []
        cursor = self.window.cursor(*_POINTS)
        try:
            rows = self._metric(cursor, select, at) if named else []
            if part is not None:
                rows += self._told_parts(cursor, part, select, at, [labels for labels, _ in rows])
            return rows
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
            labels = labels_of(only(self.window.points.series[number].labels, select.by))
            points.setdefault(labels, []).append((seconds, value))
        return {
            labels: (np.array([t for t, _ in some]), np.array([v for _, v in some]))
            for labels, some in points.items()
        }

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
                labels = labels_of(only(self.window.points.series[number].labels, select.by))
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
