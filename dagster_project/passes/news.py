"""Whether a batch pass would have anything to do, asked often and cheaply.

Here: one sentence or nothing. Not here: when it is asked (`defs/schedules`), doing it (`defs/`).
Nothing here imports Dagster or dbt.
"""

from ingestion.lake.catalog import Catalog
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore


def has_news(settings: Settings) -> str | None:
    """What waits for a pass, in words, or None."""
    if settings.spool_path.exists():
        waiting = Spool(settings.spool_path, KeyStore.open(settings.home)).pending()[1]
        if waiting:
            return f"{waiting} received batches wait"
    if settings.lake_path.exists():
        catalog = Catalog(settings.lake_path)
        try:
            hours = len(catalog.dirty_hours())
        finally:
            catalog.close()
        if hours:
            return f"{hours} hours of the lake wait for a build"
    return None
