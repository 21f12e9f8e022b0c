"""The hot window: the last hour in memory, aggregated as it arrives.

Here: the tables of 5-second aggregates in DuckDB, and one `ingest` that is aware of late, future and
repeated data. Not here: what a table's rows are made of (`spans`, `evidence`, `points`, `minutes`,
`errors`), following the spool (`follow`), named queries (`queries`).

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

from live_tail import errors, evidence, hosts, points, spans
from live_tail.columns import BUCKET_S, Rows, concatenated, is_true, microseconds
from live_tail.history import EVENT_TIME, Deliveries
from live_tail.minutes import Minutes
from live_tail.minutes import past as past_minutes
from live_tail.seen import Seen, keys_of
from live_tail.spans import Spans

_FUTURE = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1)
_SCHEMA = """
CREATE TABLE hot_requests (
    bucket_at TIMESTAMP, component VARCHAR, route VARCHAR, method VARCHAR, status_class VARCHAR,
    log_bucket INTEGER, request_count BIGINT, error_count BIGINT, ms_max DOUBLE);
CREATE TABLE hot_ai_calls (
    bucket_at TIMESTAMP, component VARCHAR, model VARCHAR, provider VARCHAR, log_bucket INTEGER,
    call_count BIGINT, error_count BIGINT, input_tokens BIGINT, output_tokens BIGINT);
CREATE TABLE hot_db_operations (
    bucket_at TIMESTAMP, component VARCHAR, system VARCHAR, operation VARCHAR, log_bucket INTEGER,
    operation_count BIGINT, error_count BIGINT);
CREATE TABLE hot_websockets (
    bucket_at TIMESTAMP, component VARCHAR, route VARCHAR, closed_connections BIGINT,
    messages_received BIGINT, messages_sent BIGINT);
CREATE TABLE hot_host (
    bucket_at TIMESTAMP, host VARCHAR, cpu_utilization_pct DOUBLE, memory_utilization_pct DOUBLE,
    load_1m DOUBLE);
CREATE TABLE hot_sightings (
    bucket_at TIMESTAMP, component VARCHAR, version VARCHAR, environment VARCHAR,
    instance VARCHAR, signal VARCHAR, items BIGINT, first_at TIMESTAMP, last_at TIMESTAMP,
    received_at TIMESTAMP);
CREATE TABLE hot_service_up (bucket_at TIMESTAMP, service VARCHAR, event_at TIMESTAMP, value DOUBLE);
CREATE TABLE hot_errors (
    bucket_at TIMESTAMP, event_at TIMESTAMP, component VARCHAR, name VARCHAR,
    status_message VARCHAR, exception_type VARCHAR);
CREATE TABLE hot_ledger (
    bucket_at TIMESTAMP, component VARCHAR, signal VARCHAR, outcome VARCHAR, items BIGINT);
CREATE TABLE hot_past_minutes (
    bucket_at TIMESTAMP, component VARCHAR, source VARCHAR, good BIGINT, total BIGINT);
"""
_MERGES = {
    "hot_requests": (
        "bucket_at, component, route, method, status_class, log_bucket",
        "sum(request_count), sum(error_count), max(ms_max)",
    ),
    "hot_ai_calls": (
        "bucket_at, component, model, provider, log_bucket",
        "sum(call_count), sum(error_count), sum(input_tokens), sum(output_tokens)",
    ),
    "hot_db_operations": (
        "bucket_at, component, system, operation, log_bucket",
        "sum(operation_count), sum(error_count)",
    ),
    "hot_ledger": ("bucket_at, component, signal, outcome", "sum(items)"),
    "hot_sightings": (
        "bucket_at, component, version, environment, instance, signal",
        "sum(items), min(first_at), max(last_at), min(received_at)",
    ),
    "hot_dependency_calls": (
        "bucket_at, dependency, address, component, source",
        "sum(good), sum(bad), max(last_good_at), max(last_bad_at), sum(probes_bad)",
    ),
    "hot_failures": ("bucket_at, component, route, name, exception_type, area", "sum(failures)"),
}
_OWN_TABLES = (
    "hot_requests hot_ai_calls hot_db_operations hot_websockets hot_host hot_sightings"
    " hot_service_up hot_errors hot_ledger hot_past_minutes"
)
_TABLES = [*_OWN_TABLES.split(), *evidence.TABLES, *points.TABLES, *errors.TABLES]
_MINUTES = "hot_minutes"
_USE = "USE hot"


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
        self._con = duckdb.connect(
            config={"memory_limit": "2GB", "threads": "1", "autoinstall_known_extensions": "false"}
        )
        self._con.execute("SET TimeZone = 'UTC'")
        # A database in memory is compressed only when it is attached as such.
        self._con.execute("ATTACH ':memory:' AS hot (COMPRESS)")
        self._con.execute(_USE)
        self._con.execute(_SCHEMA + evidence.SCHEMA + points.SCHEMA + errors.SCHEMA)
        self.points = points.Points()
        self.history = history or Minutes(None)
        kept = self.history.restore(self._con)
        self.errors = hot_errors or errors.HotErrors()
        self._deliveries = Deliveries()
        self._writing = threading.RLock()
        self._staged: dict[str, list[pa.Table]] = {}
        self._filled: set[str] = {_MINUTES} if kept else set()
        # By table the oldest bucket that rows were put into since it was merged.
        self._unmerged: dict[str, int] = {}
        self._seen = {signal: Seen() for signal in EVENT_TIME}
        self._seen_late = {signal: Seen() for signal in EVENT_TIME}
        self._minutes, self._max_errors, self._clock = minutes, max_errors, clock
        self.counts: Counter[str] = Counter()
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
        """A connection for one reader thread; who names the tables it reads waits for no others."""
        with self._writing:
            self._put(tables or tuple(self._staged))
            cursor = self._con.cursor()
        cursor.execute(_USE)
        return cursor

    def has(self, *tables: str) -> bool:
        """Whether any of these tables may hold a row."""
        return any(table in self._filled or table in self._staged for table in tables)

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
        late = self._late(signal, rows, keys, is_late) if is_late.any() else None
        self._stage([*made, *((_MINUTES, t) for t in (counted, late) if t is not None)])
        self._seen[signal].add(keys[is_new], buckets[is_new])
        for table in (counted, late):
            self.history.add(signal, table, max_seq)
        self._count(is_new, is_late, is_future, times)
        return fresh.count

    def _tables_of(self, signal: str, fresh: Rows) -> Iterator[tuple[str, pa.Table]]:
        yield "hot_sightings", hosts.sightings(signal, fresh, EVENT_TIME[signal])
        if isinstance(fresh, Spans):
            yield from spans.tables(fresh)
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
        waiting = [name for name in tables if name in self._staged]
        if not waiting:
            return
        self._con.execute("BEGIN")
        try:
            for name in waiting:
                # By place: the names of the parts' columns are those of what made them. DuckDB finds
                # `staged` by its name here, which costs half of what registering it does.
                names = self._staged[name][0].column_names
                staged = pa.concat_tables([t.rename_columns(names) for t in self._staged[name]])
                self._con.execute(f"INSERT INTO {name} SELECT * FROM staged")
                del staged
            self._con.execute("COMMIT")
        except BaseException:
            self._con.execute("ROLLBACK")
            raise
        for name in waiting:
            self._note_put(name, self._staged.pop(name))

    def _note_put(self, name: str, put: Sequence[pa.Table]) -> None:
        self._filled.add(name)
        if name in _MERGES:
            oldest = min(int(microseconds(table["bucket_at"]).min()) for table in put)
            self._unmerged[name] = min(oldest, self._unmerged.get(name, oldest))

    def _flushed(self) -> duckdb.DuckDBPyConnection:
        self._put(tuple(self._staged))
        return self._con

    def reset(self) -> None:
        """Empty the window, to be filled again from the spool; minute counts stay counted."""
        with self._writing:
            self._staged = {n: t for n, t in self._staged.items() if n == _MINUTES}
            for table in _TABLES:
                self._con.execute(f"DELETE FROM {table}")
            self._filled &= {_MINUTES}
            for seen in (*self._seen.values(), *self._seen_late.values()):
                seen.forget(_us(datetime.max))
            self._deliveries = Deliveries()
            self.errors.reset()

    def tidy(self) -> None:
        """Evict what left the window and merge partial aggregates: memory stays bounded."""
        start = self.starts_at()
        self.errors.test_escalation(self.now())
        with self._writing:
            con = self._flushed()
            for table in sorted(self._filled - {_MINUTES}):
                self._evict(table, start)
            for table, oldest_us in self._unmerged.items():
                self._merge(table, max(_EPOCH + timedelta(microseconds=oldest_us), start))
            self._unmerged.clear()
            con.execute(
                "DELETE FROM hot_errors WHERE rowid NOT IN"
                " (SELECT rowid FROM hot_errors ORDER BY event_at DESC LIMIT ?)",
                [self._max_errors],
            )
            self.points.tidy(con, self.now())
            self.history.tidy(con, self.now())
            self.errors.forget(start)
            for seen in (*self._seen.values(), *self._seen_late.values()):
                seen.forget(_us(start))
            # Rows that were deleted are held, and new ones uncompressed, until then.
            con.execute("CHECKPOINT hot")

    def _evict(self, table: str, start: datetime) -> None:
        self._con.execute(f"DELETE FROM {table} WHERE bucket_at < ?", [start])
        (left,) = self._con.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
        if not left:
            self._filled.discard(table)

    def _merge(self, table: str, since: datetime) -> None:
        """Partial aggregates of one bucket become one."""
        keys, sums = _MERGES[table]
        self._con.execute("BEGIN")
        self._con.execute(
            f"CREATE OR REPLACE TEMP TABLE merged AS SELECT {keys}, {sums} FROM {table}"
            f" WHERE bucket_at >= ? GROUP BY {keys}",
            [since],
        )
        self._con.execute(f"DELETE FROM {table} WHERE bucket_at >= ?", [since])
        self._con.execute(f"INSERT INTO {table} FROM merged")
        self._con.execute("DROP TABLE merged")
        self._con.execute("COMMIT")


def _typed(signal: str, rows: Rows) -> Rows:
    return Spans(rows.table) if signal == "spans" else rows


def _us(at: datetime) -> int:
    return int((at - _EPOCH) / timedelta(microseconds=1))
