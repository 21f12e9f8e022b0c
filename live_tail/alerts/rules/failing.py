"""Failures of the recent past as the fast lane knows them, before the window does.

Here: which landed rows are failures, and a small table of them that facts are read from. Not here: following
the spool, judging (`fast_lane`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from live_tail.window.rows.arrow_columns import Rows, concatenated, microseconds
from live_tail.window.rows.failures import failures
from live_tail.window.rows.point_facts import Points
from live_tail.window.rows.span_facts import Spans
from live_tail.window.seen import Seen, keys_of

_BEGIN = datetime(1970, 1, 1)
_PAST, _FUTURE = timedelta(days=1), timedelta(minutes=5)
_STATUS_KEYS = ["http.response.status_code", "http.status_code"]


def failing(signal: str, rows: pa.Table) -> pa.Table:
    """Landed rows that ended with an error, or in a server error; Arrow alone, for there are few."""
    if signal == "logs":
        return rows.filter(pc.greater_equal(rows["severity_number"], 17))
    is_error = pc.equal(rows["status_code"], "ERROR").to_numpy(zero_copy_only=False)
    attributes = rows["attributes"].combine_chunks()
    is_status = pc.is_in(attributes.keys, value_set=pa.array(_STATUS_KEYS))
    places = pc.indices_nonzero(is_status)
    said = attributes.items.take(places)
    places = places.filter(pc.fill_null(pc.match_substring_regex(said, r"^5\d\d(\.0*)?$"), False))
    # The row of an attribute: the last one that begins at or before it.
    begins = attributes.offsets.to_numpy()
    is_error[np.searchsorted(begins, places.to_numpy(), side="right") - 1] = True
    return rows.filter(pa.array(is_error))


class Failures:
    """Failures of the recent past by receipt, in the form that facts are read from."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, tuple[Any, ...]]] = []
        self._seen = {"spans": Seen(), "logs": Seen()}
        self.points = Points()

    def cursor(self, *_: str) -> duckdb.DuckDBPyConnection:
        """There are no tables here: raises LookupError."""
        raise LookupError("the fast lane knows of failures only")

    def has(self, *tables: str) -> bool:
        """Whether there is anything of these."""
        return "hot_failures" in tables and bool(self._rows)

    def failures(self, after: datetime, until: datetime) -> list[tuple[Any, ...]]:
        """Component, route, name, exception type, area and number of failures between two times."""
        found: Counter[tuple[Any, ...]] = Counter()
        low, high = _us(after), _us(until)
        for bucket, (*labels, n) in self._rows:
            if low < bucket <= high:
                found[tuple(labels)] += n
        return [(*labels, n) for labels, n in found.items()]

    def add(self, signal: str, tables: Sequence[tuple[int, pa.Table]], at: datetime) -> int:
        """Take in batches (seq, table) that were received at a time; returns failures that are new."""
        rows = Rows(concatenated(tables))
        times = microseconds(rows["start_at" if signal == "spans" else "event_at"])
        keys, now = keys_of(signal, rows), _us(at)
        is_new = (times >= _us(at - _PAST)) & (times <= _us(at + _FUTURE))
        is_new[is_new] = self._seen[signal].is_new_anywhere(keys[is_new])
        # By receipt, so that a repetition is recognised for as long as failures are kept.
        self._seen[signal].add(keys[is_new], np.full(int(is_new.sum()), now, np.int64))
        if is_new.any():
            new = rows.where(is_new)
            made = failures(signal, Spans(new.table) if signal == "spans" else new)
            columns = made.columns if made is not None else ()
            for bucket_at, *rest in zip(*(c.to_pylist() for c in columns), strict=True):
                self._rows.append((_us(bucket_at), tuple(rest)))
        return int(is_new.sum())

    def tidy(self, before: datetime) -> None:
        """Forget what was received before a time."""
        self._rows = [row for row in self._rows if row[0] >= _us(before)]
        for seen in self._seen.values():
            seen.forget(_us(before))


def _us(at: datetime) -> int:
    return int((at - _BEGIN) / timedelta(microseconds=1))
