"""Good and total events by minute, component and source, kept for 31 days across restarts.

Here: counting them from what the window finds new, and keeping them sealed in `state.db`. Not
here: availability and burn rates (`live_tail/alerts/sources`). Sources: `requests` (server spans;
a failure is ERROR or 5xx) and `probe` (readiness routes, `tta_service_up`). Routes that
always answer "healthy" never count.

Exact across restarts: an hour's totals and the last spool batch they hold are written in one
transaction, and batches up to that one are not counted again when the window is rebuilt.
"""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from live_tail.signals import load_signals
from privacy.keys import KeyStore
from privacy.state import Sealer, connect, transaction

Counted = list[tuple[datetime, str, str, int, int]]
_S = load_signals()
_SCHEMA = """
CREATE TABLE IF NOT EXISTS alert_minutes (hour TEXT PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alert_minutes_through (signal TEXT PRIMARY KEY, seq INTEGER NOT NULL);
"""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS hot_minutes (minute_at TIMESTAMP, component VARCHAR,"
    " source VARCHAR, good BIGINT, total BIGINT)"
)
_BAD = "(status_code = 'ERROR' OR coalesce(http_status >= 500, false))"
_COUNT = {
    "spans": f"""
        WITH served AS (
            SELECT *, coalesce(attributes['http.request.method'], attributes['http.method'])
                    AS http_method,
                try_cast(coalesce(attributes['http.response.status_code'],
                    attributes['http.status_code']) AS INTEGER) AS http_status,
                coalesce(attributes['http.route'], attributes['url.template'],
                    attributes['url.path'], attributes['http.target'], name) AS route
            FROM fresh
        )
        SELECT date_trunc('minute', start_at), component,
            CASE WHEN {_S.is_probe("route")} THEN 'probe' ELSE 'requests' END,
            count(*) FILTER (WHERE NOT {_BAD}), count(*)
        FROM served
        WHERE batch_seq > ? AND http_method IS NOT NULL AND attributes['asgi.event.type'] IS NULL
            AND kind NOT IN ('CLIENT', 'PRODUCER') AND NOT {_S.is_ignored("route")}
            AND coalesce(attributes['url.scheme'], attributes['http.scheme'], 'http')
                NOT IN ('ws', 'wss')
        GROUP BY 1, 2, 3""",
    "metric_points": """
        SELECT date_trunc('minute', event_at),
            coalesce(attributes['service'], component), 'probe',
            count(*) FILTER (WHERE value >= 1), count(*)
        FROM fresh
        WHERE batch_seq > ? AND metric = 'tta_service_up' AND value IS NOT NULL
            AND flags & 1 = 0
        GROUP BY 1, 2, 3""",
}


class Minutes:
    """The minute counts of one window; without a home they live in memory only."""

    keep = timedelta(days=31)

    def __init__(self, home: Path | None, keys: KeyStore | None = None) -> None:
        self._db = connect(home, _SCHEMA) if home and keys else None
        self._sealer = Sealer(keys, "alert_minutes") if home and keys else None
        self._through: dict[str, int] = {}
        self._touched: set[datetime] = set()

    def restore(self, con: duckdb.DuckDBPyConnection) -> None:
        """Load what was kept into table `hot_minutes`."""
        con.execute(_TABLE)
        if self._db is None or self._sealer is None:
            return
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

    def count(self, con: duckdb.DuckDBPyConnection, signal: str) -> Counted:
        """The counts of table `fresh`, without batches that were counted before a restart."""
        if signal not in _COUNT:
            return []
        return con.execute(
            f"INSERT INTO hot_minutes {_COUNT[signal]} RETURNING *", [self._through.get(signal, 0)]
        ).fetchall()

    def add(self, signal: str, counted: Counted, seq: int) -> None:
        """Note, after the commit, what must be kept and up to which batch it reaches."""
        self._touched |= {row[0].replace(minute=0) for row in counted}
        if signal in _COUNT:
            self._through[signal] = max(self._through.get(signal, 0), seq)

    def tidy(self, con: duckdb.DuckDBPyConnection, now: datetime) -> None:
        """Merge, forget what is older than 31 days, write the hours that changed."""
        con.execute(
            "CREATE OR REPLACE TEMP TABLE kept AS SELECT minute_at, component, source,"
            " sum(good)::BIGINT, sum(total)::BIGINT FROM hot_minutes WHERE minute_at >= ?"
            " GROUP BY 1, 2, 3",
            [now - self.keep],
        )
        con.execute("BEGIN")
        con.execute("DELETE FROM hot_minutes")
        con.execute("INSERT INTO hot_minutes FROM kept")
        con.execute("COMMIT")
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
                    "INSERT OR REPLACE INTO alert_minutes VALUES (?, ?)",
                    (name, self._sealer.seal(name, {"rows": rows})),
                )
            self._db.executemany(
                "INSERT OR REPLACE INTO alert_minutes_through VALUES (?, ?)",
                list(self._through.items()),
            )
            self._db.execute(
                "DELETE FROM alert_minutes WHERE hour < ?", ((now - self.keep).isoformat(),)
            )
        self._touched.clear()
