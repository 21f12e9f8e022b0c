"""The only module that opens the warehouse read-write: one writer at a time, and publishing.

Here: the writer's lock, the environment dbt needs, and the swap of published copies. Not here:
models (`dbt/`), orchestration (`defs/`).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from ingestion.lake.duck import attach, connect, key_of_file, published_dataset, secret_text
from ingestion.settings import Settings
from privacy.disk.files import put_in_place
from privacy.disk.locks import locked
from privacy.keys.key_store import DataKey, KeyStore, utc_today

DBT_PROJECT = Path(__file__).resolve().parents[2] / "dbt"
AUDIENCE_MARTS = Path(__file__).with_name("audiences.yaml")
FULL_REFRESH = "TTA_MONITOR_FULL_REFRESH"
"""Tells dbt's plugin to show the whole lake."""
_KEY = "DBT_ENV_SECRET_WAREHOUSE_KEY"
_MACROS = """
    SELECT function_name, parameters, macro_definition FROM duckdb_functions()
    WHERE database_name = 'warehouse' AND schema_name = 'main' AND macro_definition IS NOT NULL
"""


@dataclass(frozen=True)
class Published:
    """A published copy."""

    path: Path
    tables: int
    rows: int
    bytes: int


@contextmanager
def writer_lock(
    settings: Settings, progress: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the one writer's lock of a data home; waits while a build or Dagster has it."""
    waits = "another build is running: waiting for it to finish"
    with locked(settings.home / "writer.lock", on_wait=lambda: progress(waits)):
        yield


def warehouse_key(settings: Settings, keys: KeyStore) -> DataKey:
    """The day key that opens the warehouse, or today's for a new one; raises KeyProblem.

    The retention pass writes the file anew under the key of the day and destroys the older one.
    """
    if not settings.warehouse_path.exists():
        return keys.data_key("warehouse", utc_today())
    return key_of_file(settings.warehouse_path, keys, "warehouse")


def dbt_environment(settings: Settings, keys: KeyStore, *, is_full_refresh: bool) -> dict[str, str]:
    """Environment of the dbt process; the key's name makes dbt keep it out of its logs."""
    key = {_KEY: secret_text(warehouse_key(settings, keys))}
    return key | profile_environment(settings, is_full_refresh=is_full_refresh)


def profile_environment(settings: Settings, *, is_full_refresh: bool) -> dict[str, str]:
    """What dbt's profile reads; dbt parses the project anew when any of it has changed."""
    return {
        "TTA_MONITOR_HOME": str(settings.home),
        "DBT_WAREHOUSE_PATH": str(settings.warehouse_path),
        "DBT_DUCKDB_MEMORY": settings.warehouse.memory_limit,
        FULL_REFRESH: "1" if is_full_refresh else "0",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # A failing model's message quotes values: `dbt_words` tells what may be told.
        "DBT_LOG_LEVEL_FILE": "none",
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def process_environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for child processes while the block runs."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def without_key() -> Iterator[None]:
    """Take the warehouse's key out of the environment while the block runs."""
    key = os.environ.pop(_KEY, None)
    try:
        yield
    finally:
        if key is not None:
            os.environ[_KEY] = key


def needs_full_refresh(settings: Settings) -> bool:
    """Whether the marts must be made from the whole lake because the warehouse is new."""
    return not settings.warehouse_path.exists()


def publish(settings: Settings, keys: KeyStore, audience: str) -> Published:
    """Copy an audience's marts and all macros into a fresh encrypted file and swap it in.

    `audiences.yaml` assigns marts to audiences; what nobody assigned is published to nobody.
    """
    target = settings.published_path(audience)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    dataset = published_dataset(audience)
    key = keys.data_key(dataset, utc_today())
    con = connect(memory_limit=settings.warehouse.memory_limit)
    try:
        attach(con, settings.warehouse_path, "warehouse", warehouse_key(settings, keys))
        attach(con, temporary, "published", key)
        con.execute("CREATE SCHEMA published.marts")
        tables = con.execute(
            "SELECT table_name FROM duckdb_tables()"
            " WHERE database_name = 'warehouse' AND schema_name = 'marts' ORDER BY 1"
        ).fetchall()
        rows = 0
        assigned = audience_marts(audience)
        chosen = [table for (table,) in tables if table in assigned]
        for table in chosen:
            con.execute(f"CREATE TABLE published.marts.{table} AS FROM warehouse.marts.{table}")
            rows += _count(con, table)
        if audience == "engagement":
            chosen += _add_released(con, settings, keys)
            rows += sum(_count(con, table) for table in chosen if table not in assigned)
        for name, parameters, definition in con.execute(_MACROS).fetchall():
            arguments = ", ".join(parameters)
            con.execute(f"CREATE MACRO published.marts.{name}({arguments}) AS {definition}")
    finally:
        con.close()
    put_in_place(temporary, target)
    # The copies of earlier days open nowhere from now on, backups included.
    for day in keys.days(dataset):
        if f"{dataset}/{day}" != key.id:
            keys.destroy(dataset, day)
    return Published(target, len(chosen), rows, target.stat().st_size)


def _add_released(con: duckdb.DuckDBPyConnection, settings: Settings, keys: KeyStore) -> list[str]:
    """Tables of what the release gate has published, from its ledger; they are in no warehouse."""
    # OpenDP and SciPy take seconds to import, and the other audiences need neither.
    from dagster_project.engagement.active_players import released_tables  # noqa: PLC0415

    found = released_tables(settings, keys)
    for name, (lines, limits) in found.items():
        con.register("released_now", lines)
        con.execute(f"CREATE TABLE published.marts.{name} AS SELECT * FROM released_now")
        con.unregister("released_now")
        text = limits.replace("'", "''")
        con.execute(f"COMMENT ON TABLE published.marts.{name} IS '{text}'")
    return list(found)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return con.execute(f"SELECT count(*) FROM published.marts.{table}").fetchall()[0][0]


def audience_marts(audience: str) -> frozenset[str]:
    """The marts that an audience may read."""
    assigned: dict[str, list[str]] = yaml.safe_load(AUDIENCE_MARTS.read_text())
    return frozenset(mart for mart, audiences in assigned.items() if audience in audiences)
