"""Spool to lake, exactly once: hour partitions of encrypted Parquet.

Here: the drain (plan, write, list, advance), compaction of closed hours and the readers' SQL. Not
here: which files are alive (`catalog`), which items are repeats (`repeats`), marts (`dbt/`). A plan is
written down before its files are; a crash anywhere re-executes the same plan under the same file names.
A drain ends: it takes what the spool holds when it begins, however much arrives meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.contracts import GATE_DECISIONS, LANDED, SIGNALS
from ingestion.lake import repeats, set_aside
from ingestion.lake.binding import digest_of, path_of, verify
from ingestion.lake.catalog import Catalog, LakeFile, Plan
from ingestion.lake.duck import (
    add_file_keys,
    add_parquet_keys,
    connect,
    in_memory,
    parquet_key_name,
)
from ingestion.lake.plans import read_plan
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys.files import put_in_place
from privacy.keys.store import KeyStore

EVENT_TIME = {
    "spans": "start_at",
    "logs": "event_at",
    "metric_points": "event_at",
    "ledger": "hour_at",
    "gate_decisions": "hour_at",
}
_SORT = {
    "spans": "component, trace_id, start_at",
    "logs": "component, event_at",
    "metric_points": "component, metric, attributes::varchar, event_at",
    "ledger": "component, signal",
    "gate_decisions": "component, signal, field",
}
_CROWDED = 4
_SLICE_ROWS = 8_192
_SMALL_PLAN_ROWS = 30_000
_PLANS = 8
# Stragglers of a long call or connection still find the identities of their hour.
_OPEN_HOURS = 3


@dataclass
class DrainReport:
    """What a drain did; rows by signal."""

    plans: int = 0
    landed: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    bytes_written: int = 0
    set_aside_batches: int = 0
    set_aside_rows: int = 0

    def add(self, plan: "DrainReport") -> None:
        """Count a plan that is done."""
        self.plans += 1
        self.landed = dict(Counter(self.landed) + Counter(plan.landed))
        self.duplicates = dict(Counter(self.duplicates) + Counter(plan.duplicates))
        self.bytes_written += plan.bytes_written


def drain(
    settings: Settings, keys: KeyStore, *, progress: Callable[[str], None] = lambda _: None
) -> DrainReport:
    """Move what is pending now into the lake; prunes the spool. Callers hold the writer's lock."""
    spool, catalog = Spool(settings.spool_path, keys), Catalog(settings.lake_path)
    report = DrainReport()
    spool.mark_drained(catalog.last_drained())
    spool.take_back(set_aside.product_version())
    pending = spool.sizes(spool.drained_seq())
    most = _rows_of_a_plan(sum(rows for _, rows in pending), settings.warehouse.plan_rows)
    until = pending[-1][0] if pending else 0
    con = None
    while True:
        plan = catalog.open_plan() or _next_plan(spool, catalog, until, most)
        if plan is None:
            break
        con = con or connect(memory_limit=settings.warehouse.memory_limit)
        work = _Drain(settings, keys, con, spool, catalog, plan=plan)
        files = _run_or_sort_out(work, progress)
        catalog.finish_plan(plan, files)
        spool.mark_drained(plan.high)
        report.add(work.report)
        progress(f"drained spool rows {plan.low} to {plan.high} into {len(files)} files")
    if con:
        con.close()
    report.set_aside_batches, report.set_aside_rows = spool.aside()
    minute_us = 60_000_000
    spool.prune(
        keep_us=settings.warehouse.spool_keep_minutes * minute_us,
        digest_us=settings.receiver.digest_hours * 60 * minute_us,
    )
    spool.close()
    catalog.close()
    return report


def compact(settings: Settings, keys: KeyStore, *, now: datetime | None = None) -> int:
    """Rewrite built hours that hold many files as one file each; returns hours compacted."""
    catalog = Catalog(settings.lake_path)
    this_hour = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    crowded = catalog.crowded_hours(_CROWDED, this_hour - timedelta(hours=_OPEN_HOURS))
    for signal, hour_at in crowded:
        old = catalog.files(signal, [hour_at])
        con = connect(memory_limit=settings.warehouse.memory_limit)
        add_file_keys(con, keys, old)
        add_parquet_keys(con, keys, [(signal, hour_at.date())], create=True)
        name = f"compact-{max(f.path for f in old).rpartition('-')[2]}"
        rows = sum(f.row_count for f in old)
        new = write_partition(
            con,
            settings,
            signal=signal,
            hour_at=hour_at,
            name=name,
            select=f"{scan(settings, old)} ORDER BY {_SORT[signal]}",
            rows=rows,
            detectors=sorted({d for f in old for d in f.detectors}),
        )
        catalog.replace([f for f in old if f.path != new.path], new, 0)
        for file in old:
            if path_of(settings, file) != path_of(settings, new):
                path_of(settings, file).unlink(missing_ok=True)
        con.close()
    catalog.close()
    return len(crowded)


def scan(settings: Settings, files: Sequence[LakeFile], columns: str = "") -> str:
    """A SELECT over files of one signal; the connection must hold their days' keys.

    `columns` replaces the signal's own, for files that are all of one kind. Raises KeyProblem for a
    file that is not the one that was written there (`binding`).
    """
    verify(settings, files)
    own = {True: f"* EXCLUDE ({', '.join(repeats.IDENTITY)})", False: "*"}
    alike: dict[tuple[str, bool], list[str]] = {}
    for file in files:
        name = parquet_key_name(file.signal, file.day, file.generation)
        alike.setdefault((name, file.has_identities), []).append(f"'{path_of(settings, file)}'")
    parts = [
        f"SELECT {columns or own[has_identities]} FROM read_parquet([{', '.join(paths)}], "
        f"encryption_config = {{footer_key: '{name}'}}, hive_partitioning = false)"
        for (name, has_identities), paths in alike.items()
    ]
    return " UNION ALL BY NAME ".join(parts)


def empty_select(signal: str) -> str:
    """A SELECT without rows that has the signal's columns and DuckDB types."""
    con = in_memory()
    con.register("shape", LANDED[signal].empty_table())
    columns = con.execute("DESCRIBE shape").fetchall()
    con.close()
    casts = ", ".join(f'NULL::{column[1]} AS "{column[0]}"' for column in columns)
    return f"SELECT {casts} WHERE false"


def _rows_of_a_plan(pending: int, most: int) -> int:
    """Rows that a plan takes at most: few lie in memory together where few arrive, and where many do
    a pass still looks into an hour's identities no more than some times.
    """
    return min(most, max(_SMALL_PLAN_ROWS, pending // _PLANS))


def _run_or_sort_out(work: "_Drain", progress: Callable[[str], None]) -> list[LakeFile]:
    """Run a plan; when batches of it make it fail, once more without what is wrong with them."""
    try:
        return work.run()
    except Exception:
        # What was wrong with which batch is logged there; where nothing is found, the pass fails.
        found = work.sort_out()
        if not found:
            raise
        progress(f"{found.mended} batches were mended, {found.set_aside} are set aside")
        return work.run()


def _next_plan(spool: Spool, catalog: Catalog, until: int, most: int) -> Plan | None:
    after, rows, high = spool.drained_seq(), 0, 0
    for seq, row_count in spool.sizes(after, until=until):
        if high and rows + row_count > most:
            break
        rows, high = rows + row_count, seq
    return catalog.begin_plan(after + 1, high) if high else None


class _Drain:
    """One plan: read, dedupe, write."""

    def __init__(
        self,
        settings: Settings,
        keys: KeyStore,
        con: duckdb.DuckDBPyConnection,
        spool: Spool,
        catalog: Catalog,
        *,
        plan: Plan,
    ) -> None:
        self._settings, self._keys, self._catalog, self._plan = settings, keys, catalog, plan
        # To open one takes longer than to land some thousand rows; each signal has a cursor of its own.
        self._con, self._spool, self.report = con, spool, DrainReport()
        self._tables: dict[str, pa.Table] = {}
        self._detectors: list[str] = []

    def run(self) -> list[LakeFile]:
        """Write the plan's files; they are not alive until the catalog lists them."""
        self.report = DrainReport()
        read = read_plan(self._spool, self._plan)
        self._tables, self._detectors = read.tables, read.detectors
        files: list[LakeFile] = []
        repeated: list[pa.Table] = []
        for signal in SIGNALS:
            if signal in self._tables:
                written, some = self._land(signal)
                files += written
                repeated.append(some)
        ledger = [t.drop_columns(["batch_seq"]) for t in [self._tables.get("ledger")] if t]
        ledger += set_aside.ledger_rows(read.out)
        entries = pa.concat_tables([*ledger, *repeated]) if ledger or repeated else None
        if entries is not None and entries.num_rows:
            files += self._write_hours("ledger", entries)
        decisions = self._tables.get("gate_decisions")
        if decisions is not None:
            keys = [n for n in GATE_DECISIONS.names if n != "value_count"]
            summed = decisions.group_by(keys).aggregate([("value_count", "sum")])
            files += self._write_hours(
                "gate_decisions", summed.rename_columns([*keys, "value_count"]).cast(GATE_DECISIONS)
            )
        return files

    def sort_out(self) -> set_aside.SortedOut:
        """Find what makes the plan fail; whatever it has written so far is no part of it any more."""
        self._tables.clear()
        found = set_aside.sort_out(self._spool, self._con, self._plan.low, self._plan.high)
        if found:
            for path in self._settings.lake_path.glob(f"*/*/*/{self._name()}.*"):
                path.unlink()
        return found

    def _name(self) -> str:
        return f"part-{self._plan.number:08d}"

    def _land(self, signal: str) -> tuple[list[LakeFile], pa.Table]:
        # Nobody else holds the pieces: they go when they are in one.
        table = self._tables.pop(signal).combine_chunks()
        con = self._con.cursor()
        try:
            con.register("incoming", table.append_column("row_no", _numbers(table.num_rows)))
            marks, repeated = self._marks(con, signal)
            con.unregister("incoming")
            for name in ("event_hour", *repeats.IDENTITY):
                table = table.append_column(name, marks.column(name))
            if repeated.num_rows:
                table = table.filter(marks.column("is_new"))
            del marks
            files = self._write(con, signal, table)
        finally:
            con.close()
        count = sum(repeated.column("items").to_pylist())
        self.report.duplicates[signal] = self.report.duplicates.get(signal, 0) + count
        return files, repeated

    def _marks(self, con: duckdb.DuckDBPyConnection, signal: str) -> tuple[pa.Table, pa.Table]:
        hours = repeats.event_hours(con, EVENT_TIME[signal])
        # A purged hour stays closed: rebuilding its marts from late rows alone would replace them.
        purged = set(self._catalog.purged(signal))
        closed, hours = [h for h in hours if h in purged], [h for h in hours if h not in purged]
        known = self._catalog.files(signal, hours)
        add_file_keys(con, self._keys, known)
        add_parquet_keys(con, self._keys, {(signal, h.date()) for h in hours}, create=True)
        existing = []
        for has_identities in (True, False):
            some = [f for f in known if f.has_identities == has_identities]
            if some:
                columns = ", ".join(repeats.IDENTITY) if has_identities else ""
                rows = scan(self._settings, some, columns)
                existing.append(repeats.existing_identities(some, rows, has_identities))
        return repeats.mark(con, signal, EVENT_TIME[signal], existing=existing, closed=closed)

    def _write_hours(self, signal: str, table: pa.Table) -> list[LakeFile]:
        con = self._con.cursor()
        column = EVENT_TIME[signal]
        table = table.append_column("event_hour", table.column(column))
        con.register("incoming", table)
        hours = repeats.event_hours(con, column)
        con.unregister("incoming")
        add_parquet_keys(con, self._keys, {(signal, h.date()) for h in hours}, create=True)
        files = self._write(con, signal, table)
        con.close()
        return files

    def _write(
        self, con: duckdb.DuckDBPyConnection, signal: str, table: pa.Table
    ) -> list[LakeFile]:
        """One file for each hour of the rows."""
        time = EVENT_TIME[signal]
        con.register("incoming", table.append_column("row_no", _numbers(table.num_rows)))
        counted = con.execute(
            f"SELECT event_hour, count(*), min({time}), max({time}) FROM incoming GROUP BY 1 ORDER BY 1"
        ).fetchall()
        kept = [n for n in table.column_names if n not in {"event_hour", "batch_seq"}]
        files = []
        for hour_at, rows, first_at, last_at in counted:
            order = con.execute(
                f"SELECT row_no FROM incoming WHERE event_hour = ? ORDER BY {_SORT[signal]}",
                [hour_at],
            ).to_arrow_table()["row_no"]
            con.register("ordered", _in_order(table.select(kept), order))
            file = write_partition(
                con,
                self._settings,
                signal=signal,
                hour_at=hour_at,
                name=f"{self._name()}.parquet",
                select="FROM ordered",
                rows=rows,
                detectors=self._detectors,
            )
            con.unregister("ordered")
            files.append(
                replace(file, first_at=first_at, last_at=last_at, has_identities=signal in SIGNALS)
            )
            self.report.landed[signal] = self.report.landed.get(signal, 0) + rows
            self.report.bytes_written += file.byte_count
        con.unregister("incoming")
        return files


def _numbers(count: int) -> pa.Array:
    return pa.array(np.arange(count, dtype=np.int64))


def _in_order(table: pa.Table, order: pa.ChunkedArray) -> pa.RecordBatchReader:
    """Rows in an order, some at a time: DuckDB would sort them with all their columns in memory."""
    batches = (
        batch
        for start in range(0, len(order), _SLICE_ROWS)
        for batch in table.take(order.slice(start, _SLICE_ROWS)).to_batches()
    )
    return pa.RecordBatchReader.from_batches(table.schema, batches)


def write_partition(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    signal: str,
    hour_at: datetime,
    name: str,
    select: str,
    rows: int,
    detectors: Sequence[str] = (),
    generation: str = "",
) -> LakeFile:
    """Write one partition file durably: temporary name, fsync, rename, fsync of the folder.

    `detectors` are the ids of the detectors that its texts have passed, for the catalog.
    """
    relative = Path(signal) / f"date={hour_at:%Y-%m-%d}" / f"hour={hour_at:%H}" / name
    path = settings.lake_path / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    key = parquet_key_name(signal, hour_at.date(), generation)
    con.execute(
        f"COPY ({select}) TO '{temporary}' (FORMAT parquet, "
        f"COMPRESSION zstd, COMPRESSION_LEVEL 9, ROW_GROUP_SIZE 40960, "
        f"ENCRYPTION_CONFIG {{footer_key: '{key}'}})"
    )
    put_in_place(temporary, path)
    size, digest = path.stat().st_size, digest_of(settings.home, path, str(relative))
    return LakeFile(
        str(relative), signal, hour_at, rows, size, digest, tuple(detectors), generation
    )
