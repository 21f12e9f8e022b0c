"""Good and total events by minute, component and source, kept for 31 days across restarts.

Here: counting them from what the window finds new, and keeping them sealed in `state.db`. Not here:
availability and burn rates (`live_tail/alerts/reading/rule_sources`). Sources: `requests` (server spans; a
failure is ERROR or 5xx) and `probe` (readiness routes, `tta_service_up`). Routes that always answer
"healthy" never count.

Exact across restarts: an hour's totals and the last spool batch they hold are written in one
transaction, and batches up to that one are not counted again when the window is rebuilt.
"""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.signals import load_signals
from live_tail.window.rows.arrow_columns import (
    Rows,
    bucket_of,
    equals,
    grouped,
    is_set,
    matched,
    ones,
)
from live_tail.window.rows.span_facts import Spans
from privacy.disk.sqlite_databases import transaction
from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect

_S = load_signals()
SCHEMA = """
CREATE TABLE hot_minutes (minute_at TIMESTAMP, component VARCHAR, source VARCHAR, good BIGINT,
    total BIGINT);
"""
_MINUTE_US = 60_000_000
_KEYS = ("minute_at", "component", "source")


def past(signal: str, rows: Rows) -> pa.Table | None:
    """Of rows that arrived as history: as much was counted that is no sign of what goes on."""
    return _of(signal, rows, np.ones(rows.count, bool))


class Minutes:
    """The minute counts of one window; without a home they live in memory only."""

    keep = timedelta(days=31)

    def __init__(self, home: Path | None, keys: KeyStore | None = None) -> None:
        self._db = connect(home) if home and keys else None
        self._sealer = Sealer(keys, "alert_minutes") if home and keys else None
        self._through: dict[str, int] = {}
        self._touched: set[datetime] = set()
        self._unmerged_at: datetime | None = None

    def restore(self, con: duckdb.DuckDBPyConnection) -> bool:
        """Load what was kept into table `hot_minutes`; whether anything was."""
        if self._db is None or self._sealer is None:
            return False
        self._through = dict(self._db.execute("SELECT signal, seq FROM alert_minutes_through"))
        rows = []
        for hour, sealed in self._db.execute("SELECT hour, sealed FROM alert_minutes"):
            for at, *rest in self._sealer.open(hour, sealed)["rows"]:
                rows.append((datetime.fromisoformat(at), *rest))
        if rows:
            names = ("minute_at", "component", "source", "good", "total")
            kept = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
            con.register("kept_minutes", kept)
            con.execute("INSERT INTO hot_minutes FROM kept_minutes")
            con.unregister("kept_minutes")
        return bool(rows)

    def count(self, signal: str, rows: Rows) -> pa.Table | None:
        """Rows of `hot_minutes`, without batches that were counted before a restart."""
        return _of(signal, rows, rows["batch_seq"].to_numpy() > self._through.get(signal, 0))

    def add(self, signal: str, counted: pa.Table | None, seq: int) -> None:
        """Note, after they were kept, which rows came and up to which batch they reach."""
        if counted is not None and counted.num_rows:
            minutes = [at for at in counted["minute_at"].unique().to_pylist()]
            self._touched |= {at.replace(minute=0) for at in minutes}
            self._unmerged_at = min([*minutes, self._unmerged_at or datetime.max])
        if signal in {"spans", "metric_points"}:
            self._through[signal] = max(self._through.get(signal, 0), seq)

    def tidy(self, con: duckdb.DuckDBPyConnection, now: datetime) -> None:
        """Merge what came, forget what is older than 31 days, write the hours that changed."""
        if self._unmerged_at is None:
            return
        con.execute("BEGIN")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE kept AS SELECT minute_at, component, source,"
            " sum(good)::BIGINT, sum(total)::BIGINT FROM hot_minutes WHERE minute_at >= ?"
            " GROUP BY 1, 2, 3",
            [max(self._unmerged_at, now - self.keep)],
        )
        con.execute(
            "DELETE FROM hot_minutes WHERE minute_at >= ? OR minute_at < ?",
            [self._unmerged_at, now - self.keep],
        )
        con.execute("INSERT INTO hot_minutes FROM kept")
        con.execute("DROP TABLE kept")
        con.execute("COMMIT")
        self._unmerged_at = None
        self._write(con, now)

    def _write(self, con: duckdb.DuckDBPyConnection, now: datetime) -> None:
        if self._db is None or self._sealer is None or not self._touched:
            return
        with transaction(self._db):
            for hour in sorted(self._touched):
                rows = con.execute(
                    "SELECT strftime(minute_at, '%Y-%m-%dT%H:%M:%S'), component, source, good, total"
                    " FROM hot_minutes WHERE minute_at >= ? AND minute_at < ?",
                    [hour, hour + timedelta(hours=1)],
                ).fetchall()
                name = hour.isoformat()
                self._db.execute(
                    "INSERT OR REPLACE INTO alert_minutes (hour, sealed) VALUES (?, ?)",
                    (name, self._sealer.seal(name, {"rows": rows})),
                )
            self._db.executemany(
                "INSERT OR REPLACE INTO alert_minutes_through (signal, seq) VALUES (?, ?)",
                list(self._through.items()),
            )
            self._db.execute(
                "DELETE FROM alert_minutes WHERE hour < ?", ((now - self.keep).isoformat(),)
            )
        self._touched.clear()


def _of(signal: str, rows: Rows, where: np.ndarray) -> pa.Table | None:
    if isinstance(rows, Spans):
        return _of_spans(rows, where)
    return _of_points(rows, where) if signal == "metric_points" else None


def _of_spans(spans: Spans, where: np.ndarray) -> pa.Table | None:
    route = spans.route
    counts = where & spans.is_served & ~spans.is_web_socket & ~matched(route, _S.is_ignored)
    if not counts.any():
        return None
    source = pa.array(np.where(matched(route, _S.is_probe), "probe", "requests"), pa.string())
    facts = {"component": spans["component"], "source": source, "good": ones(~spans.is_failed)}
    return _counted(spans["start_at"], facts, counts)


def _of_points(rows: Rows, where: np.ndarray) -> pa.Table | None:
    counts = where & equals(rows["metric"], "tta_service_up") & is_set(rows["value"])
    counts &= (rows["flags"].to_numpy() & 1) == 0
    if not counts.any():
        return None
    component = pc.coalesce(rows.attribute("service"), rows["component"])
    source = pa.array(["probe"] * rows.count)
    is_up = rows["value"].fill_null(0.0).to_numpy() >= 1
    facts = {"component": component, "source": source, "good": ones(is_up)}
    return _counted(rows["event_at"], facts, counts)


def _counted(times: pa.Array, facts: dict[str, pa.Array], where: np.ndarray) -> pa.Table:
    columns = {
        "minute_at": bucket_of(times, _MINUTE_US),
        **facts,
        "total": ones(np.ones(len(times))),
    }
    return grouped(columns, _KEYS, [("good", "sum"), ("total", "sum")], where)
