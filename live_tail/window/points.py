"""Metric points of every name in the hot window, by series, within a bound of series.

Here: which series exist and their points in buckets, so that a rule on any metric works. Not here:
rates and quantiles (`live_tail/alerts/rules/sources`), the host and service tables of the pages
(`window`). A series is metric, component, instance and labels; a series over the bound is not kept
and its points are counted by minute: `dropped`.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from live_tail.window.columns import Rows, equals, hashed, is_true, microseconds

MAX_SERIES = 50_000
MAX_SERIES_PER_METRIC = 12_000
_FINE = timedelta(minutes=10)
_REMEMBERED = timedelta(hours=1)
_EPOCH, _MINUTE_US = datetime(1970, 1, 1), 60_000_000
_MOST_SCALE = 1_000
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
_Parts = dict[str, pa.Array]


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
        rows = rows.where((rows["flags"].to_numpy() & 1) == 0)
        for shaped in (_plain(rows), _histograms(rows), _quantiles(rows), *_totals(rows)):
            if shaped is None or not shaped.count:
                continue
            series = self._series_of(shaped)
            kept = series >= 0
            self._count_dropped(shaped, ~kept)
            if not kept.any():
                continue
            rows_kept, numbers = shaped.where(kept), series[kept]
            if "bounds" in rows_kept.table.column_names:
                yield "hot_histograms", _histogram_rows(rows_kept, numbers)
            else:
                yield "hot_points", _point_rows(rows_kept, numbers)

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
                " max_by(last, last_at), min(low), max(high), sum(total), sum(n)::BIGINT,"
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


def number_label(value: float) -> str:
    """A bound or quantile as Prometheus' text format writes it: `1`, `0.5`, `+Inf`, `NaN`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    is_whole = value == math.floor(value) and abs(value) < 1e15
    return f"{value:.0f}" if is_whole else repr(float(value))


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


def _plain(rows: Rows) -> Rows | None:
    """Gauges and sums."""
    value = rows["value"].fill_null(np.nan).to_numpy()
    some = rows.where(equals(rows["kind"], "gauge", "sum") & ~np.isnan(value))
    is_counter = equals(some["kind"], "sum") & is_true(some["is_monotonic"])
    is_delta = equals(some["temporality"], "delta")
    shape = np.where(is_counter, np.where(is_delta, "delta", "cumulative"), "gauge")
    return _shaped(some, shape, {"value": some["value"]})


def _histograms(rows: Rows) -> Rows | None:
    """Explicit bounds as they are, exponential ones written out."""
    is_explicit = equals(rows["kind"], "histogram")
    is_any = is_explicit | equals(rows["kind"], "exponential_histogram")
    if not is_any.any():
        return None
    some, is_explicit = rows.where(is_any), is_explicit[is_any]
    columns = (
        "explicit_bounds bucket_counts scale zero_count positive_offset positive_counts".split()
    )
    told = some.table.select(columns).to_pylist()
    written = [
        (row["explicit_bounds"], row["bucket_counts"]) if explicit else _written_out(row)
        for row, explicit in zip(told, is_explicit, strict=True)
    ]
    shape = np.where(
        equals(some["temporality"], "delta"), "histogram_delta", "histogram_cumulative"
    )
    more = {
        "value": some["point_sum"],
        "n": some["point_count"],
        "bounds": pa.array([bounds for bounds, _ in written], pa.list_(pa.float64())),
        "counts": pa.array([counts for _, counts in written], pa.list_(pa.int64())),
    }
    return _shaped(some, shape, more)


def _written_out(row: dict[str, Any]) -> tuple[list[float], list[int]]:
    positive, offset = row["positive_counts"] or [], row["positive_offset"] or 0
    # Any 32-bit scale may come; beyond these a bound is 1 or as large as a number can be anyway.
    scale = min(max(row["scale"] or 0, -_MOST_SCALE), _MOST_SCALE)
    with np.errstate(over="ignore", under="ignore"):
        bounds = np.exp2(np.ldexp(offset + np.arange(len(positive) + 1.0), -scale))
    return bounds.tolist(), [row["zero_count"] or 0, *positive, 0]


def _quantiles(rows: Rows) -> Rows | None:
    """Summaries: one gauge for each quantile, which becomes a label."""
    is_summary = equals(rows["kind"], "summary")
    if not is_summary.any():
        return None
    some = rows.where(is_summary)
    lists = some["quantiles"]
    owners = np.repeat(np.arange(some.count), lists.value_lengths().fill_null(0).to_numpy())
    each = lists.flatten()
    spread = Rows(some.table.take(pa.array(owners)))
    told = [q["quantile"] for q in each.to_pylist()]
    labels = [
        [*entries, ("quantile", number_label(quantile))]
        for entries, quantile in zip(spread["attributes"].to_pylist(), told, strict=True)
    ]
    more = {
        "value": each.field("value").fill_null(np.nan),
        "attributes": pa.array(labels, pa.map_(pa.string(), pa.string())),
    }
    return _shaped(spread, np.full(spread.count, "gauge"), more)


def _totals(rows: Rows) -> Iterator[Rows]:
    """Summaries: what they counted and its sum, as counters of the names that Prometheus gives them."""
    is_summary = equals(rows["kind"], "summary")
    if not is_summary.any():
        return
    some = rows.where(is_summary)
    for suffix, column in (("_count", "point_count"), ("_sum", "point_sum")):
        known = some.where(some[column].is_valid().to_numpy(zero_copy_only=False))
        if known.count:
            name = pc.binary_join_element_wise(known["metric"], pa.scalar(suffix), "")
            value = known[column].cast(pa.float64(), safe=False)
            yield _shaped(
                known, np.full(known.count, "cumulative"), {"metric": name, "value": value}
            )


def _shaped(rows: Rows, shape: np.ndarray, more: _Parts) -> Rows:
    columns = {name: rows[name] for name in ("metric", "component", "component_instance", "host")}
    columns |= {name: rows[name] for name in ("event_at", "start_at", "attributes", "is_history")}
    columns["environment"] = pc.coalesce(rows["environment"], rows.attribute("environment"))
    columns["shape"] = pa.array(shape.astype(str), pa.string())
    return Rows(pa.table(columns | more))


def _point_rows(rows: Rows, series: np.ndarray) -> pa.Table:
    """One row for each series and bucket: its last point, and all of them together."""
    bucket_us = microseconds(rows.bucket("event_at"))
    order = np.lexsort((microseconds(rows["event_at"]), bucket_us, series))
    ordered = rows.table.take(pa.array(order))
    bucket_us, series = bucket_us[order], series[order]
    begins = np.flatnonzero(
        np.concatenate([[True], (np.diff(series) != 0) | (np.diff(bucket_us) != 0)])
    )
    lasts = np.concatenate([begins[1:], [len(order)]]) - 1
    values = Rows(ordered)["value"].to_numpy()
    last = Rows(ordered.take(pa.array(lasts)))
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(values, begins)
    return pa.table(
        {
            "bucket_at": last.bucket("event_at"),
            "series": pa.array(series[lasts].astype(np.int32)),
            "last_at": last["event_at"],
            "start_at": last["start_at"],
            "last": last["value"],
            "low": pa.array(np.minimum.reduceat(values, begins)),
            "high": pa.array(np.maximum.reduceat(values, begins)),
            "total": pa.array(total),
            "n": pa.array(lasts - begins + 1),
            "is_history": last["is_history"],
        }
    )


def _histogram_rows(rows: Rows, series: np.ndarray) -> pa.Table:
    return pa.table(
        {
            "bucket_at": rows.bucket("event_at"),
            "series": pa.array(series.astype(np.int32)),
            "last_at": rows["event_at"],
            "start_at": rows["start_at"],
            "n": rows["n"],
            "total": rows["value"],
            "bounds": rows["bounds"],
            "counts": rows["counts"],
            "is_history": rows["is_history"],
        }
    )
