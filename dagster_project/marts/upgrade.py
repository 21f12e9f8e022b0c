"""A warehouse of an older layout gets the columns that its marts have gained, and aggregates by part anew.

Here: both. Not here: reading the last hours again, of which parts are made (`changes.reopen_after_upgrade`).
What is older stays as it was: a new column is null there, for marts live longer than the lake.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from dagster_project.marts.warehouse import warehouse_key
from ingestion.lake.duck import attach, connect
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore

_SCHEMA = "marts"
_PARTS = "parts"


def upgrade(settings: Settings, keys: KeyStore, manifest: Mapping[str, Any]) -> None:
    """Add what contracts name and marts lack, and drop aggregates by part. Raises KeyProblem.

    Callers hold the writer's lock.
    """
    if not settings.warehouse_path.exists():
        return
    con = connect()
    try:
        attach(con, settings.warehouse_path, "warehouse", warehouse_key(settings, keys))
        for table, column, kind in list(_missing(con, manifest)):
            con.execute(f"ALTER TABLE warehouse.{_SCHEMA}.{table} ADD COLUMN {column} {kind}")
        for node in _models(manifest):
            if _PARTS in node["fqn"]:
                con.execute(f"DROP TABLE IF EXISTS warehouse.{node['schema']}.{node['name']}")
    finally:
        con.close()


def _missing(
    con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    rows = con.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns()"
        " WHERE database_name = 'warehouse' AND schema_name = ? GROUP BY 1",
        [_SCHEMA],
    ).fetchall()
    known = {table: set(columns) for table, columns in rows}
    for node in _models(manifest):
        is_there = node["schema"] == _SCHEMA and node["name"] in known
        columns = node["columns"].values() if is_there else ()
        for column in columns:
            if column["name"] not in known[node["name"]]:
                yield node["name"], column["name"], column["data_type"]


def _models(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    nodes = manifest["nodes"].values()
    yield from (node for node in nodes if node["resource_type"] == "model")
