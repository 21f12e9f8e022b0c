"""Every stored error of a home, for a look at what another grouping would make of it.

Here: reading lake and spool, each occurrence once. Not here: grouping (`ingestion/meaning/errors`), printing
(`tta_monitor/commands/errors`).
"""

from collections.abc import Iterator

from dagster_project.marts.landed import open_landed
from ingestion.lake.duck import connect
from ingestion.meaning.errors.error_records import Occurrence
from ingestion.meaning.errors.occurrences import once_key, read_occurrences
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore


def stored_errors(settings: Settings) -> Iterator[Occurrence]:
    """Every occurrence in lake and spool, once; raises KeyProblem."""
    keys = KeyStore.open(settings.home)
    con = connect()
    open_landed(con, settings, is_full_refresh=True)
    seen: set[str] = set()
    spool = Spool(settings.spool_path, keys)
    found = [o for s in ("spans", "logs") for _, o in read_occurrences(con, s, f"landed.{s}")]
    for batch in spool.read(spool.drained_seq(), limit=100_000, signals=["spans", "logs"]):
        con.register("fresh", batch.table())
        found += [o for _, o in read_occurrences(con, batch.signal, "fresh")]
        con.unregister("fresh")
    for occurrence in found:
        key = once_key(occurrence)
        if key is None or key not in seen:
            seen.add(key or "")
            yield occurrence
