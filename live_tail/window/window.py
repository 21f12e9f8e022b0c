"""The hot window: the last hour in memory, aggregated as it arrives.

Here: one `ingest` into 5-second aggregates that is aware of late, future and repeated data. Not here:
their tables in DuckDB (`tables`), what a table's rows are made of (`rows`: spans, evidence, points,
`minutes`, `errors`), following the spool (`follow`), named queries (`queries`).

What is taken in waits in Arrow until somebody reads: a statement costs the same for a second's rows as
for a minute's. Every reader takes a `cursor`, which puts first what waits where it belongs.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from live_tail.window import error_groups as errors
from live_tail.window.history import EVENT_TIME, Deliveries
from live_tail.window.minutes import Minutes
from live_tail.window.minutes import past as past_minutes
from live_tail.window.recent.recent import TABLES as RECENT_TABLES
from live_tail.window.recent.recent import Recent, Round
from live_tail.window.rows import call_facts, evidence, hosts, point_facts, span_rows
from live_tail.window.rows.arrow_columns import BUCKET_S, Rows, concatenated, is_true, microseconds
from live_tail.window.rows.span_facts import Spans
from live_tail.window.seen import Seen, keys_of
from live_tail.window.window_tables import MINUTES, Tables

_FUTURE = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1)


class Window:
    """All hot tables; `ingest` comes from one thread at a time, readers take a `cursor` each."""

    def __init__(
        self,
        *,
        minutes: int,
        max_errors: int,
        clock: Callable[[], datetime],
        history: Minutes | None = None,
        hot_errors: errors.HotErrors | None = None,
    ) -> None:
        self._tables = Tables()
        self.points = point_facts.Points()
        self.recent = Recent()
        self.history = history or Minutes(None)
        kept = self.history.restore(self._tables.con)
        self.errors = hot_errors or errors.HotErrors()
        self._deliveries = Deliveries()
        self._writing = threading.RLock()
        self._staged: dict[str, list[pa.Table]] = {}
        if kept:
            self._tables.filled.add(MINUTES)
        self._seen = {signal: Seen() for signal in EVENT_TIME}
        self._seen_late = {signal: Seen() for signal in EVENT_TIME}
        self._minutes, self._max_errors, self._clock = minutes, max_errors, clock
        self.counts: Counter[str] = Counter()
        self.refused = 0
        self.newest_event_at: datetime | None = None

    @property
    def minutes(self) -> int:
        """How far back the window reaches."""
        return self._minutes

    @property
    def remembered(self) -> int:
        """Items whose repetition would be recognised."""
        return sum(map(len, [*self._seen.values(), *self._seen_late.values()]))

    def now(self) -> datetime:
        """The window's clock, UTC without zone."""
        return self._clock().astimezone(UTC).replace(tzinfo=None)

    def starts_at(self) -> datetime:
        """The oldest event time that is kept."""
        return self.now() - timedelta(minutes=self._minutes)

    def cursor(self, *tables: str) -> duckdb.DuckDBPyConnection:
        """A connection for one reader thread; who names the tables it reads waits for no others.

        It sees tables called `recent_…` only when it names them.
        """
        with self._writing:
            self._put(tables or tuple(self._staged))
            cursor = self._tables.con.cursor()
            recent = {name: self.recent.table(name) for name in tables if name in RECENT_TABLES}
        for name, table in recent.items():
            cursor.register(name, table)
        return cursor

    def has(self, *tables: str) -> bool:
        """Whether any of these tables may hold a row."""
        return any(table in self._tables.filled or table in self._staged for table in tables)

    def failures(self, after: datetime, until: datetime) -> list[tuple[Any, ...]]:
        """Component, route, name, exception type, area and number of failures between two times."""
        if not self.has("hot_failures"):
            return []
        cursor = self.cursor("hot_failures")
        try:
            return cursor.execute(
                "SELECT component, route, name, exception_type, area, sum(failures)"
                " FROM hot_failures WHERE bucket_at > ? AND bucket_at <= ? GROUP BY ALL",
                [after, until],
            ).fetchall()
        finally:
            cursor.close()

    def ingest(self, signal: str, batches: Sequence[tuple[int, pa.Table]]) -> int:
        """Take in batches (seq, table) of one signal; returns rows that were new and in time."""
        with self._writing:
            rows = Rows(self._deliveries.marked(signal, concatenated(batches)))
            if rows.count == 0:
                return 0
            if signal == "ledger":
                self._stage([("hot_ledger", hosts.ledger(rows))])
                return rows.count
            return self._ingest_items(signal, rows, max(seq for seq, _ in batches))

    def _ingest_items(self, signal: str, rows: Rows, max_seq: int) -> int:
        start, newest = _us(self.starts_at()), _us(self.now() + _FUTURE)
        times = microseconds(rows[EVENT_TIME[signal]])
        is_late, is_future = times < start, times > newest
        keys, buckets = keys_of(signal, rows), times - times % (BUCKET_S * 1_000_000)
        is_new = ~is_late & ~is_future
        is_new[is_new] = self._seen[signal].is_new(keys[is_new], buckets[is_new])
        fresh = _typed(signal, rows.where(is_new))
        # Nothing is changed here before everything is worked out: a round that fails is tried again.
        made = list(self._tables_of(signal, fresh)) if fresh.count else []
        counted = self.history.count(signal, fresh) if fresh.count else None
        noted = self.recent.of(signal, fresh) if fresh.count else Round()
        if noted.counts is not None:
            made.append(("hot_log_patterns", noted.counts))
        late = self._late(signal, rows, keys, is_late) if is_late.any() else None
        self._stage([*made, *((MINUTES, t) for t in (counted, late) if t is not None)])
        if fresh.count:
            self.errors.taken()
        self._seen[signal].add(keys[is_new], buckets[is_new])
        self.recent.add(noted)
        for table in (counted, late):
            self.history.add(signal, table, max_seq)
        self._count(is_new, is_late, is_future, times)
        return fresh.count

    def _tables_of(self, signal: str, fresh: Rows) -> Iterator[tuple[str, pa.Table]]:
        yield "hot_sightings", hosts.sightings(signal, fresh, EVENT_TIME[signal])
        if isinstance(fresh, Spans):
            yield from span_rows.tables(fresh)
            yield from call_facts.tables(fresh)
        if signal == "metric_points":
            yield from hosts.tables(fresh)
            yield from self.points.tables(fresh)
        is_history = is_true(fresh["is_history"])
        if is_history.any():
            past = past_minutes(signal, _typed(signal, fresh.where(is_history)))
            if past is not None:
                yield "hot_past_minutes", past
        # Evidence says what is; what was over before anybody could hear of it is none.
        present = _typed(signal, fresh.where(~is_history))
        if present.count:
            yield from evidence.tables(signal, present)
        yield from self.errors.tables(self._flushed, signal, fresh)

    def _late(
        self, signal: str, rows: Rows, keys: np.ndarray, is_late: np.ndarray
    ) -> pa.Table | None:
        """What left the window still belongs to the minutes that are kept for a month."""
        times = microseconds(rows[EVENT_TIME[signal]])
        is_kept = is_late & (times >= _us(self.starts_at() - self.history.keep))
        known = (self._seen[signal], self._seen_late[signal])
        for seen in known:
            is_kept[is_kept] = seen.is_new_anywhere(keys[is_kept])
        counted = self.history.count(signal, _typed(signal, rows.where(is_kept)))
        # Remembered as of now, so that a repetition is recognised for as long as any other.
        now = np.full(int(is_kept.sum()), _us(self.now()), np.int64)
        self._seen_late[signal].add(keys[is_kept], now)
        return counted

    def _count(
        self, is_new: np.ndarray, is_late: np.ndarray, is_future: np.ndarray, times: np.ndarray
    ) -> None:
        found = {"rows": is_new, "late": is_late, "future": is_future}
        for name, mask in found.items():
            self.counts[name] += int(mask.sum())
        self.counts["duplicate"] += int((~is_new & ~is_late & ~is_future).sum())
        if is_new.any():
            latest = datetime.fromtimestamp(int(times[is_new].max()) / 1e6, UTC).replace(
                tzinfo=None
            )
            if self.newest_event_at is None or latest > self.newest_event_at:
                self.newest_event_at = latest

    def _stage(self, made: Sequence[tuple[str, pa.Table]]) -> None:
        for name, table in made:
            if table.num_rows:
                self._staged.setdefault(name, []).append(table)

    def _put(self, tables: Sequence[str]) -> None:
        """Put what waits for some tables into them, at once."""
        for name in tables:
            if name in self._staged:
                self.refused += self._tables.put(name, self._staged.pop(name))

    def _flushed(self) -> duckdb.DuckDBPyConnection:
        self._put(tuple(self._staged))
        return self._tables.con

    def reset(self) -> None:
        """Empty the window, to be filled again from the spool; minute counts stay counted."""
        with self._writing:
            self._staged = {n: t for n, t in self._staged.items() if n == MINUTES}
            self._tables.clear()
            for seen in (*self._seen.values(), *self._seen_late.values()):
                seen.forget(_us(datetime.max))
            self._deliveries = Deliveries()
            self.errors.reset()
            self.recent.clear()

    def tidy(self) -> None:
        """Evict what left the window and merge partial aggregates: memory stays bounded."""
        start = self.starts_at()
        self.errors.test_escalation(self.now())
        with self._writing:
            con = self._flushed()
            self._tables.evict(start)
            self._tables.merge(start)
            self._tables.keep_newest("hot_errors", self._max_errors)
            self.points.tidy(con, self.now())
            self.history.tidy(con, self.now())
            self.errors.forget(start)
            self.recent.tidy(_us(start))
            for seen in (*self._seen.values(), *self._seen_late.values()):
                seen.forget(_us(start))
            self._tables.give_back()


def _typed(signal: str, rows: Rows) -> Rows:
    return Spans(rows.table) if signal == "spans" else rows


def _us(at: datetime) -> int:
    return int((at - _EPOCH) / timedelta(microseconds=1))
