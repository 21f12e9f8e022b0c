"""One drain plan carried out: spool rows are read, repeats marked, hours written.

Here: what is written for a plan, and finding what makes it fail. Not here: which plan is next and when it is
done (`drain`), files (`partitions`), what a repeat is (`repeats`).
"""

from collections import Counter
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.contracts import GATE_DECISIONS, SIGNALS
from ingestion.lake import repeats, set_aside
from ingestion.lake.catalog import Catalog, LakeFile, Plan
from ingestion.lake.duck import (
    add_file_keys,
    add_parquet_keys,
)
from ingestion.lake.partitions import EVENT_TIME, SORT, scan, write_partition
from ingestion.lake.plans import read_plan
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore

_SLICE_ROWS = 8_192


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


class PlanRun:
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
                f"SELECT row_no FROM incoming WHERE event_hour = ? ORDER BY {SORT[signal]}",
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
