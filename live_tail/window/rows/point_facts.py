"""Metric points of every name in the hot window, by series, within a bound of series.

Here: which series exist and their points in buckets, so that a rule on any metric works. Not here:
rates and quantiles (`live_tail/alerts/reading/rule_sources`), the host and service tables of the pages
(`window`). A series is metric, component, instance and labels; a series over the bound is not kept
and its points are counted by minute: `dropped`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from live_tail.window.rows.arrow_columns import Rows, hashed, is_recorded, microseconds
from live_tail.window.rows.point_rows import (
    histogram_rows,
    histograms,
    plain,
    point_rows,
    quantiles,
    totals,
)

MAX_SERIES = 50_000
MAX_SERIES_PER_METRIC = 12_000
_FINE = timedelta(minutes=10)
_REMEMBERED = timedelta(hours=1)
_EPOCH, _MINUTE_US = datetime(1970, 1, 1), 60_000_000
SCHEMA = """
CREATE TABLE hot_points (bucket_at TIMESTAMP, series INTEGER, last_at TIMESTAMP, start_at TIMESTAMP,
    last DOUBLE, low DOUBLE, high DOUBLE, total DOUBLE, n BIGINT, is_history BOOLEAN);
CREATE TABLE hot_histograms (bucket_at TIMESTAMP, series INTEGER, last_at TIMESTAMP,
    start_at TIMESTAMP, n BIGINT, total DOUBLE, bounds DOUBLE[], counts BIGINT[],
    is_history BOOLEAN);
"""
TABLES = ("hot_points", "hot_histograms")
_STATES = ("system.cpu.state", "cpu.mode", "system.memory.state")
_IDENTITY = "metric component component_instance environment host attributes shape".split()


@dataclass(frozen=True)
class Series:
    """One series; `labels` are its attributes with component, environment and host."""

    metric: str
    labels: dict[str, str]
    shape: str


class Points:
    """The series of one window, by a hash of their identity."""

    def __init__(self) -> None:
        self.series: list[Series] = []
        self.by_metric: dict[str, list[int]] = {}
        self._dropped: Counter[int] = Counter()
        self._numbers: dict[int, int] = {}
        self._fine_from = datetime.min

    def tables(self, rows: Rows) -> Iterator[tuple[str, pa.Table]]:
        """Rows of the tables from new metric points; series that are new become known."""
        rows = rows.where(is_recorded(rows))
        for shaped in (plain(rows), histograms(rows), quantiles(rows), *totals(rows)):
            if shaped is None or not shaped.count:
                continue
            series = self._series_of(shaped)
            kept = series >= 0
            self._count_dropped(shaped, ~kept)
            if not kept.any():
                continue
            rows_kept, numbers = shaped.where(kept), series[kept]
            if "bounds" in rows_kept.table.column_names:
                yield "hot_histograms", histogram_rows(rows_kept, numbers)
            else:
                yield "hot_points", point_rows(rows_kept, numbers)

    def _series_of(self, rows: Rows) -> np.ndarray:
        """The number of each row's series; -1 where there are too many."""
        keys = hashed(rows[name] for name in _IDENTITY)
        distinct, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
        numbers = np.empty(len(distinct), np.int64)
        new = []
        for place, key in enumerate(distinct.tolist()):
            known = self._numbers.get(key)
            numbers[place] = -1 if known is None else known
            if known is None:
                new.append((place, key))
        if new:
            at = pa.array(firsts[[place for place, _ in new]])
            found = rows.table.select(_IDENTITY).take(at).to_pylist()
            # In an order that does not depend on hashes: which series is one too many is no chance.
            for (place, key), row in sorted(zip(new, found, strict=True), key=_by_name):
                number = self._register(
                    row["metric"], row["shape"],
                    _labels(row["component"], row["environment"], _host(row), dict(row["attributes"])),
                )  # fmt: skip
                if number is not None:
                    self._numbers[key] = numbers[place] = number
        return numbers[places]

    def dropped(self, since: datetime, until: datetime) -> int:
        """Points of series that were not kept, of the minutes between two times (UTC, without zone)."""
        minutes = range(_minute(since), _minute(until) + 1)
        return sum(count for minute, count in dict(self._dropped).items() if minute in minutes)

    def _count_dropped(self, rows: Rows, is_dropped: np.ndarray) -> None:
        if is_dropped.any():
            minutes = microseconds(rows.where(is_dropped)["event_at"]) // _MINUTE_US
            for minute, count in zip(*np.unique(minutes, return_counts=True), strict=True):
                self._dropped[int(minute)] += int(count)

    def tidy(self, con: duckdb.DuckDBPyConnection, now: datetime) -> None:
        """Merge what became older than ten minutes by minute; forget series without points."""
        oldest = _minute(now - _REMEMBERED)
        self._dropped = Counter({m: n for m, n in self._dropped.items() if m >= oldest})
        fine_from = (now - _FINE).replace(second=0, microsecond=0)
        if self._numbers and fine_from > self._fine_from:
            span = [self._fine_from, fine_from]
            con.execute("BEGIN")
            con.execute(
                "CREATE OR REPLACE TEMP TABLE coarse AS SELECT time_bucket(INTERVAL 1 MINUTE, bucket_at)"
                " AS bucket_at, series, max(last_at), max_by(start_at, last_at),"
                " max_by(last, row(last_at, last)), min(low), max(high), sum(total), sum(n)::BIGINT,"
                " is_history FROM hot_points WHERE bucket_at >= ? AND bucket_at < ?"
                " GROUP BY 1, 2, is_history",
                span,
            )
            con.execute("DELETE FROM hot_points WHERE bucket_at >= ? AND bucket_at < ?", span)
            con.execute("INSERT INTO hot_points FROM coarse")
            con.execute("DROP TABLE coarse")
            con.execute("COMMIT")
            self._fine_from = fine_from
        if self._numbers:
            self._forget_series(con)

    def _forget_series(self, con: duckdb.DuckDBPyConnection) -> None:
        alive = {
            row[0]
            for row in con.execute(
                "SELECT DISTINCT series FROM hot_points UNION SELECT series FROM hot_histograms"
            ).fetchall()
        }
        if all(number in alive for number in self._numbers.values()):
            return
        self._numbers = {key: number for key, number in self._numbers.items() if number in alive}
        self.by_metric = {
            metric: left
            for metric, some in self.by_metric.items()
            if (left := [s for s in some if s in alive])
        }

    def _register(self, metric: str, shape: str, labels: dict[str, str]) -> int | None:
        some = self.by_metric.get(metric, [])
        total = sum(map(len, self.by_metric.values())) if len(self.series) >= MAX_SERIES else 0
        if len(some) >= MAX_SERIES_PER_METRIC or total >= MAX_SERIES:
            return None
        self.series.append(Series(metric, labels, shape))
        self.by_metric.setdefault(metric, []).append(len(self.series) - 1)
        return len(self.series) - 1


def _minute(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(minutes=1)


def _labels(
    component: str, environment: str | None, host: str | None, attributes: dict[str, Any]
) -> dict[str, str]:
    # Old and new conventions name the state of a CPU or of memory differently: rules say `state`.
    state = next((attributes[n] for n in _STATES if n in attributes), None)
    known = {"component": component, "environment": environment, "host": host, "state": state}
    labels = {**known, **attributes}
    return {name: value for name, value in labels.items() if value}


def _host(row: dict[str, Any]) -> str | None:
    """A machine whose name may not stay is told by the component that measures it, as on the pages."""
    if row["metric"].startswith("system."):
        return row["host"] or row["component"]
    return row["host"]


def _by_name(entry: tuple[tuple[int, int], dict[str, Any]]) -> tuple[str, str]:
    row = entry[1]
    return row["metric"], repr(sorted((k, str(v)) for k, v in row.items()))
