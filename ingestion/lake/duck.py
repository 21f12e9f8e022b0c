"""DuckDB connections that can encrypt, with nothing fetched and nothing spilled in the clear.

Here: the one way to open DuckDB (dbt's own connections are prepared), parquet keys by day, and read-only
published files.
Not here: what is read or written (`lake`, `dagster_project`). Keys are passed on the connection
and never appear in SQL that anybody logs.
"""

import base64
import os
import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import duckdb_extensions

from ingestion.lake.catalog import LakeFile, lake_dataset
from ingestion.settings import Settings
from privacy.keys.key_store import DataKey, KeyDestroyed, KeyProblem, KeyStore


def in_memory(*, memory_limit: str = "1GB") -> duckdb.DuckDBPyConnection:
    """A connection that fetches nothing and writes nothing: what needs more memory fails.

    Raises duckdb.OutOfMemoryException then, instead of spilling rows in the clear.
    """
    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": memory_limit,
            "threads": "1",
            "temp_directory": "",
        }
    )
    con.execute("SET TimeZone = 'UTC'")
    # It would stand in the middle of what a command prints.
    con.execute("SET enable_progress_bar = false")
    _give_back(con)
    return con


def connect(*, memory_limit: str = "1GB") -> duckdb.DuckDBPyConnection:
    """One that can also encrypt, with OpenSSL: its files and what it spills."""
    con = in_memory(memory_limit=memory_limit)
    prepare(con)
    return con


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Load the signed crypto module from its wheel; spill files are encrypted, in the temp folder."""
    duckdb_extensions.import_extension("httpfs", con=con)
    con.execute("LOAD httpfs")
    con.execute("SET temp_file_encryption = true")
    folder = Path(tempfile.gettempdir()) / f"tta-monitor-spill-{os.getpid()}"
    con.execute(f"SET temp_directory = '{str(folder).replace(chr(39), chr(39) * 2)}'")
    con.execute("SET TimeZone = 'UTC'")
    _give_back(con)


def _give_back(con: duckdb.DuckDBPyConnection) -> None:
    """What a task has freed goes back to the system; by default 128 MB of it stay."""
    con.execute("SET allocator_flush_threshold = '1MB'")
    con.execute("SET allocator_bulk_deallocation_flush_threshold = '1MB'")


def secret_text(key: DataKey) -> str:
    """A key in the base64 form that DuckDB takes."""
    return base64.b64encode(key.secret).decode()


def parquet_key_name(signal: str, day: date, generation: str = "") -> str:
    """The name under which a day's key of a signal is known to a connection."""
    return f"lake_{signal}_{day:%Y%m%d}{generation}"


def add_file_keys(
    con: duckdb.DuckDBPyConnection, keys: KeyStore, files: Iterable[LakeFile]
) -> None:
    """Make files readable on a connection; raises KeyDestroyed for an expired one."""
    for signal, day, generation in sorted({(f.signal, f.day, f.generation) for f in files}):
        key = keys.existing_key(f"{lake_dataset(signal, generation)}/{day}")
        add_parquet_key(con, parquet_key_name(signal, day, generation), key)


def add_parquet_key(con: duckdb.DuckDBPyConnection, name: str, key: DataKey) -> None:
    """Make one key usable on a connection."""
    con.execute(f"PRAGMA add_parquet_key('{name}', '{secret_text(key)}')")


def add_parquet_keys(
    con: duckdb.DuckDBPyConnection,
    keys: KeyStore,
    days: Iterable[tuple[str, date]],
    *,
    create: bool = False,
) -> None:
    """Make the day keys of (signal, day) pairs usable on a connection.

    Only a writer may `create` them; a reader of an expired day gets KeyDestroyed.
    """
    for signal, day in days:
        dataset = lake_dataset(signal)
        key = keys.data_key(dataset, day) if create else keys.existing_key(f"{dataset}/{day}")
        add_parquet_key(con, parquet_key_name(signal, day), key)


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, key: DataKey) -> None:
    """Attach an encrypted database read-write under a name."""
    con.execute(f"ATTACH '{path}' AS {name} (ENCRYPTION_KEY '{secret_text(key)}')")


AUDIENCES = ("operations", "engagement", "privacy")
"""Who reads what is published: one file and one key each."""


def published_dataset(audience: str) -> str:
    """The dataset of the day keys of an audience's copies: no other audience's key opens them."""
    return f"published.{audience}"


def key_of_file(path: Path, keys: KeyStore, dataset: str) -> DataKey:
    """The day key that opens a database file, newest first; raises KeyProblem when none does."""
    for day in reversed(keys.days(dataset)):
        try:
            key = keys.existing_key(f"{dataset}/{day}")
            with in_memory() as con:
                con.execute(
                    f"ATTACH '{path}' AS probe (READ_ONLY, ENCRYPTION_KEY '{secret_text(key)}')"
                )
        except (KeyDestroyed, duckdb.InvalidInputException, duckdb.IOException):
            # A newer copy is on its way, an older key lives until it has gone, or the file was altered.
            continue
        return key
    raise KeyProblem(
        f"{path} opens with no living key of {dataset}: it was moved here, altered, or has expired. "
        "Restore it together with keys/; a published copy is made anew by `./tta.sh monitor build`."
    )


class NotPublished(Exception):
    """There is no published file for the audience yet; the message names the fix."""


def open_published(
    settings: Settings, audience: str, *, memory_limit: str = "1GB"
) -> duckdb.DuckDBPyConnection:
    """A read-only connection to an audience's published copy, without access to anything else.

    The file may be replaced meanwhile: this connection keeps reading the copy it opened.
    Raises NotPublished.
    """
    if audience not in AUDIENCES:
        raise NotPublished(
            f"there is no audience {audience[:40]!r}: choose one of {', '.join(AUDIENCES)}."
        )
    path = settings.published_path(audience)
    if not path.exists():
        raise NotPublished(
            f"nothing is published for {audience} yet: run `./tta.sh monitor build`, or wait for "
            "the next batch."
        )
    keys = KeyStore.open(settings.home)
    con = in_memory(memory_limit=memory_limit)
    key = secret_text(key_of_file(path, keys, published_dataset(audience)))
    con.execute(f"ATTACH '{path}' AS published (READ_ONLY, ENCRYPTION_KEY '{key}')")
    con.execute("USE published.marts")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con
