"""Closed hours of many files become one file each.

Here: which hours are crowded and how they are written anew. Not here: the drain (`drain`), files
(`partitions`).
"""

from datetime import UTC, datetime, timedelta

from ingestion.lake.binding import path_of
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import (
    add_file_keys,
    add_parquet_keys,
    connect,
)
from ingestion.lake.partitions import SORT, scan, write_partition
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore

_CROWDED = 4
# Stragglers of a long call or connection still find the identities of their hour.
_OPEN_HOURS = 3


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
            select=f"{scan(settings, old)} ORDER BY {SORT[signal]}",
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
