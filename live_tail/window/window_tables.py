"""The tables of the hot window in DuckDB: putting rows in, merging, evicting, and giving memory back.

Here: what the tables are and how their memory is kept small. Not here: what is put into them and what
is kept for how long (`window`), what their rows are made of (`spans`, `evidence`, `points`, `minutes`,
`errors`).

Tables of many rows are packed: compressed once a minute, which also frees what was deleted. That costs
a quarter of a megabyte for each column that rows are added to, so tables of few rows lie plainly, and
one that holds more deleted rows than others is written anew.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from ingestion.lake.duck import in_memory
from live_tail.window import error_groups as errors
from live_tail.window import minutes
from live_tail.window.rows import evidence, point_facts
from live_tail.window.rows.arrow_columns import microseconds
from privacy.process_log.log import logger

_OWN = """
CREATE TABLE hot_requests (
    bucket_at TIMESTAMP, component VARCHAR, version VARCHAR, environment VARCHAR, route VARCHAR,
    method VARCHAR, status_class VARCHAR, log_bucket INTEGER, is_judged BOOLEAN, request_count BIGINT,
    error_count BIGINT, ms_max DOUBLE);
CREATE TABLE hot_ai_calls (
    bucket_at TIMESTAMP, component VARCHAR, version VARCHAR, environment VARCHAR, model VARCHAR,
    provider VARCHAR, operation VARCHAR, failed_with VARCHAR, log_bucket INTEGER, call_count BIGINT,
    error_count BIGINT, ms_sum DOUBLE, first_chunk_ms_sum DOUBLE, first_chunk_count BIGINT,
    input_tokens BIGINT, output_tokens BIGINT, cached_tokens BIGINT, reasoning_tokens BIGINT,
    answered_ms_sum DOUBLE, ms_max DOUBLE);
CREATE TABLE hot_db_operations (
    bucket_at TIMESTAMP, component VARCHAR, system VARCHAR, operation VARCHAR, collection VARCHAR,
    statement VARCHAR, log_bucket INTEGER, operation_count BIGINT, error_count BIGINT, ms_sum DOUBLE,
    returned_rows BIGINT, ms_max DOUBLE);
CREATE TABLE hot_websocket_messages (
    bucket_at TIMESTAMP, component VARCHAR, route VARCHAR, connection UBIGINT,
    messages_received BIGINT, messages_sent BIGINT);
CREATE TABLE hot_websocket_connections (
    bucket_at TIMESTAMP, opened_at TIMESTAMP, component VARCHAR, route VARCHAR, name VARCHAR,
    connection UBIGINT, duration_ns BIGINT, told_received BIGINT, told_sent BIGINT,
    bytes_received BIGINT, bytes_sent BIGINT, close_code BIGINT);
CREATE TABLE hot_host (
    bucket_at TIMESTAMP, host VARCHAR, idle_sum DOUBLE, idle_count BIGINT, used_sum DOUBLE,
    used_count BIGINT, load_sum DOUBLE, load_count BIGINT);
CREATE TABLE hot_sightings (
    bucket_at TIMESTAMP, component VARCHAR, version VARCHAR, environment VARCHAR,
    instance VARCHAR, signal VARCHAR, is_history BOOLEAN, items BIGINT, first_at TIMESTAMP, last_at TIMESTAMP,
    received_at TIMESTAMP);
CREATE TABLE hot_service_up (bucket_at TIMESTAMP, service VARCHAR, event_at TIMESTAMP, value DOUBLE);
CREATE TABLE hot_errors (
    bucket_at TIMESTAMP, event_at TIMESTAMP, component VARCHAR, name VARCHAR,
    status_message VARCHAR, exception_type VARCHAR);
CREATE TABLE hot_ledger (
    bucket_at TIMESTAMP, component VARCHAR, signal VARCHAR, outcome VARCHAR, reason VARCHAR,
    items BIGINT);
CREATE TABLE hot_recoveries (
    bucket_at TIMESTAMP, component VARCHAR, version VARCHAR, environment VARCHAR, attempt_count BIGINT,
    retry_count BIGINT, failed_attempt_count BIGINT, fallback_count BIGINT, used_fallback_count BIGINT);
CREATE TABLE hot_log_patterns (
    bucket_at TIMESTAMP, component VARCHAR, version VARCHAR, environment VARCHAR, severity VARCHAR,
    pattern VARCHAR, line_count BIGINT, last_at TIMESTAMP);
CREATE TABLE hot_past_minutes (
    bucket_at TIMESTAMP, component VARCHAR, source VARCHAR, good BIGINT, total BIGINT);
"""
_MERGES = {
    "hot_requests": (
        "bucket_at, component, version, environment, route, method, status_class, log_bucket, is_judged",
        "sum(request_count), sum(error_count), max(ms_max)",
    ),
    "hot_ai_calls": (
        "bucket_at, component, version, environment, model, provider, operation, failed_with, log_bucket",
        "sum(call_count), sum(error_count), sum(ms_sum), sum(first_chunk_ms_sum),"
        " sum(first_chunk_count), sum(input_tokens), sum(output_tokens), sum(cached_tokens),"
        " sum(reasoning_tokens), sum(answered_ms_sum), max(ms_max)",
    ),
    "hot_db_operations": (
        "bucket_at, component, system, operation, collection, statement, log_bucket",
        "sum(operation_count), sum(error_count), sum(ms_sum), sum(returned_rows), max(ms_max)",
    ),
    "hot_recoveries": (
        "bucket_at, component, version, environment",
        "sum(attempt_count), sum(retry_count), sum(failed_attempt_count), sum(fallback_count),"
        " sum(used_fallback_count)",
    ),
    "hot_log_patterns": (
        "bucket_at, component, version, environment, severity, pattern",
        "sum(line_count), max(last_at)",
    ),
    "hot_ledger": ("bucket_at, component, signal, outcome, reason", "sum(items)"),
    "hot_sightings": (
        "bucket_at, component, version, environment, instance, signal, is_history",
        "sum(items), min(first_at), max(last_at), min(received_at)",
    ),
    "hot_dependency_calls": (
        "bucket_at, dependency, address, component, source",
        "sum(good), sum(bad), max(last_good_at), max(last_bad_at), sum(probes_bad)",
    ),
    "hot_failures": ("bucket_at, component, route, name, exception_type, area", "sum(failures)"),
}
_SCHEMA: dict[str, str] = dict(
    re.findall(
        r"CREATE TABLE (hot_\w+) (\(.*?\));",
        _OWN + evidence.SCHEMA + point_facts.SCHEMA + errors.SCHEMA + minutes.SCHEMA,
        re.DOTALL,
    )
)
MINUTES = "hot_minutes"
_PACKED = frozenset(
    {
        "hot_requests", "hot_ai_calls", "hot_db_operations", "hot_error_groups", "hot_log_patterns",
        *point_facts.TABLES, MINUTES,
    }
)  # fmt: skip
_LEAST_DEAD = 2_000
_EPOCH = datetime(1970, 1, 1)
_log = logger()


class Tables:
    """The tables of one window; whoever changes them lets nobody else do so meanwhile."""

    def __init__(self) -> None:
        self.con = _connected()
        # Tables that may hold rows, and by table the oldest bucket that was put in since merging.
        self.filled: set[str] = set()
        self._unmerged: dict[str, int] = {}
        self._dead: Counter[str] = Counter()

    def put(self, name: str, parts: Sequence[pa.Table]) -> int:
        """Rows into a table; several parts cost one statement. Returns how many rows it refused.

        One part that cannot be put must not hold up the others, nor every reader for ever.
        """
        try:
            self._put(name, parts)
        except (duckdb.Error, pa.ArrowException) as error:
            if len(parts) > 1:
                return sum(self.put(name, [part]) for part in parts)
            _log.error(
                "rows of the live window are refused", table=name, cause=type(error).__name__
            )
            return parts[0].num_rows
        return 0

    def _put(self, name: str, parts: Sequence[pa.Table]) -> None:
        # By place: the names of the parts' columns are those of what made them. DuckDB finds `staged`
        # by its name here, which costs half of what registering it does.
        names = parts[0].column_names
        staged = pa.concat_tables([part.rename_columns(names) for part in parts]).combine_chunks()
        self.con.execute(f"INSERT INTO {name} SELECT * FROM staged")
        self.filled.add(name)
        if name in _MERGES:
            oldest = int(microseconds(staged[names[0]]).min())
            self._unmerged[name] = min(oldest, self._unmerged.get(name, oldest))

    def clear(self) -> None:
        """Without any row; minute counts stay counted."""
        for name in sorted(self.filled - {MINUTES}):
            self._delete(name, "true", [])
        self.filled &= {MINUTES}
        self._unmerged.clear()

    def evict(self, start: datetime) -> None:
        """Without what happened before a time."""
        for name in sorted(self.filled - {MINUTES}):
            self._delete(name, "bucket_at < ?", [start])
            if not self._count(name):
                self.filled.discard(name)

    def keep_newest(self, name: str, rows: int) -> None:
        """Not more than so many rows, by `event_at`."""
        newest = f"SELECT rowid FROM {name} ORDER BY event_at DESC LIMIT ?"
        self._delete(name, f"rowid NOT IN ({newest})", [rows])

    def merge(self, start: datetime) -> None:
        """Partial aggregates of one bucket become one."""
        for name, oldest_us in self._unmerged.items():
            self._merge(name, max(_EPOCH + timedelta(microseconds=oldest_us), start))
        self._unmerged.clear()

    def give_back(self) -> None:
        """Free what deleted rows hold."""
        self.con.execute("CHECKPOINT packed")
        for name, dead in list(self._dead.items()):
            if dead > max(self._count(name), _LEAST_DEAD):
                self._write_anew(name)

    def _merge(self, name: str, since: datetime) -> None:
        keys, sums = _MERGES[name]
        with self._at_once():
            self.con.execute(
                f"CREATE OR REPLACE TEMP TABLE merged AS SELECT {keys}, {sums} FROM {name}"
                f" WHERE bucket_at >= ? GROUP BY {keys}",
                [since],
            )
            self._delete(name, "bucket_at >= ?", [since])
            self.con.execute(f"INSERT INTO {name} FROM merged")
            self.con.execute("DROP TABLE merged")

    def _write_anew(self, name: str) -> None:
        with self._at_once():
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE kept AS FROM {name}")
            self.con.execute(f"CREATE OR REPLACE TABLE memory.main.{name} {_SCHEMA[name]}")
            self.con.execute(f"INSERT INTO {name} FROM kept")
            self.con.execute("DROP TABLE kept")
        del self._dead[name]

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        self.con.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.con.execute("ROLLBACK")
            raise
        self.con.execute("COMMIT")

    def _delete(self, name: str, condition: str, bound: Sequence[object]) -> None:
        sql = f"DELETE FROM {name} WHERE {condition}"
        deleted = self.con.execute(sql, bound).fetchall()[0][0]
        if name not in _PACKED:
            self._dead[name] += deleted

    def _count(self, name: str) -> int:
        return self.con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]


def _connected() -> duckdb.DuckDBPyConnection:
    """A connection that finds every table by its name; its cursors see packed ones as views."""
    con = in_memory(memory_limit="2GB")
    con.execute("ATTACH ':memory:' AS packed (COMPRESS)")
    for name, columns in _SCHEMA.items():
        if name in _PACKED:
            con.execute(f"CREATE TABLE packed.main.{name} {columns}")
            con.execute(f"CREATE VIEW {name} AS FROM packed.main.{name}")
        else:
            con.execute(f"CREATE TABLE {name} {columns}")
    con.execute("SET search_path = 'packed.main,memory.main'")
    return con
