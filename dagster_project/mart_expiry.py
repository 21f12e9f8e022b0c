"""Rows of the warehouse that are past their time: the file is written anew without them.

Here: which tables hold rows of single connections, and the copy. Not here: partitions and keys
(`ingestion/expiry`). DELETE leaves the bytes in a DuckDB file (60,000 of 60,000 markers survive it,
CHECKPOINT and VACUUM), so what stays is copied to a new file and the old file is unlinked.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from dagster_project.warehouse import publish
from ingestion import expiry
from ingestion.duck import attach, connect
from ingestion.settings import Settings
from privacy import receipts
from privacy.files import sync_folder
from privacy.keys import KeyStore
from privacy.receipts import Receipt
from privacy.retention import Policy

ROW_LEVEL = {
    "marts.fct_websocket_connections": "opened_at",
    "intermediate.int_websocket_message_counts": "hour_at",
}
"""Tables with a row per connection and their time; they live as long as the spans they come from."""


def expired_rows(con: duckdb.DuckDBPyConnection, database: str, before: datetime) -> dict[str, int]:
    """Rows of the row-level tables that are older, by table; only tables that have some."""
    counts = {}
    for table, column in _present(con, database).items():
        sql = f"SELECT count(*) FROM {database}.{table} WHERE {column} < ?"
        counts[table] = con.execute(sql, [before]).fetchall()[0][0]
    return {table: count for table, count in counts.items() if count}


def copy_without(
    con: duckdb.DuckDBPyConnection, source: str, target: str, before: datetime
) -> None:
    """Copy an attached database into an empty attached one, without the expired rows."""
    con.execute(f"COPY FROM DATABASE {source} TO {target} (SCHEMA)")
    row_level = _present(con, source)
    for schema, table in _tables(con, source):
        name = f"{schema}.{table}"
        column = row_level.get(name)
        where = f" WHERE {column} >= '{before}' OR {column} IS NULL" if column else ""
        con.execute(f"INSERT INTO {target}.{name} SELECT * FROM {source}.{name}{where}")


def rewrite_warehouse(
    settings: Settings, keys: KeyStore, policy: Policy, now: datetime
) -> dict[str, int]:
    """Rewrite the warehouse when it holds expired rows; returns them by table, as found before.

    Callers hold the writer's lock. A crash leaves the old file whole.
    """
    before = policy.cutoff("spans", now)
    path = settings.warehouse_path
    if before is None or not path.exists():
        return {}
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    key = keys.named_key("warehouse")
    con = connect(memory_limit=settings.warehouse.memory_limit)
    try:
        attach(con, path, "warehouse", key)
        found = expired_rows(con, "warehouse", before)
        if found:
            attach(con, temporary, "fresh", key)
            copy_without(con, "warehouse", "fresh", before)
            con.execute("DETACH fresh")
    finally:
        con.close()
    if found:
        _swap(temporary, path)
    return found


def expire(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Receipt]:
    """Everything that is past its time, in lake, spool and warehouse; publishes anew when marts changed.

    Callers hold the writer's lock.
    """
    done = expiry.purge(settings, keys, policy, now)
    gone = rewrite_warehouse(settings, keys, policy, now)
    if gone:
        receipt = _receipt(settings, keys, policy, now, gone)
        receipts.write(settings.home, keys, receipt)
        done.append(receipt)
    for published in sorted((settings.home / "published").glob("*.duckdb")) if gone else []:
        publish(settings, keys, published.stem)
    return done


def _receipt(
    settings: Settings, keys: KeyStore, policy: Policy, now: datetime, gone: Mapping[str, int]
) -> Receipt:
    before = policy.cutoff("spans", now) or now
    con = connect()
    attach(con, settings.warehouse_path, "warehouse", keys.named_key("warehouse"))
    left = expired_rows(con, "warehouse", before)
    con.close()
    return Receipt(
        id=f"{now.isoformat()}/warehouse",
        purged_at=now,
        rule="warehouse",
        purged_before=before,
        partitions=len(gone),
        rows=sum(gone.values()),
        bytes=None,
        keys_destroyed=(),
        proof_rows=sum(left.values()),
        proof_files=int(settings.warehouse_path.with_suffix(".new").exists()),
    )


def _swap(temporary: Path, path: Path) -> None:
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    return con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY 1, 2",
        [database],
    ).fetchall()


def _present(con: duckdb.DuckDBPyConnection, database: str) -> Mapping[str, str]:
    there = {f"{schema}.{table}" for schema, table in _tables(con, database)}
    return {table: column for table, column in ROW_LEVEL.items() if table in there}
