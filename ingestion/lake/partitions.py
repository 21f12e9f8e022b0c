"""Partition files of the lake: one hour of one signal, encrypted Parquet, written durably and read by SQL.

Here: writing a file in place and the SELECT over many. Not here: which files are alive (`catalog`), which
rows they get (`plan_run`, `compaction`), keys of a connection (`duck`). Source: Parquet modular encryption.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.contracts import LANDED
from ingestion.lake import repeats
from ingestion.lake.binding import digest_of, path_of, verify
from ingestion.lake.catalog import LakeFile
from ingestion.lake.duck import (
    in_memory,
    parquet_key_name,
)
from ingestion.settings import Settings
from privacy.disk.files import put_in_place

EVENT_TIME = {
    "spans": "start_at",
    "logs": "event_at",
    "metric_points": "event_at",
    "ledger": "hour_at",
    "gate_decisions": "hour_at",
}
SORT = {
    "spans": "component, trace_id, start_at",
    "logs": "component, event_at",
    "metric_points": "component, metric, attributes::varchar, event_at",
    "ledger": "component, signal",
    "gate_decisions": "component, signal, field",
}


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
