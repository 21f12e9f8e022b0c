"""Dagster's own run history is bounded: each run leaves a file of events and rows in three tables.

Here: which runs go, and what Dagster leaves behind of a run that it deletes. Not here: the facts'
expiry (`privacy/retention`). The instance is passed in, so that nothing here imports Dagster.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_INDEX = "index.db"
_WORTH_IT_BYTES = 16 * 1024 * 1024
_ORPHANS = "DELETE FROM run_tags WHERE run_id NOT IN (SELECT run_id FROM runs)"
# The newest of each check is what Dagster's page shows of it.
_OLD_CHECKS = """
    DELETE FROM asset_check_executions
    WHERE run_id NOT IN (SELECT value FROM json_each(?))
    AND id NOT IN (SELECT max(id) FROM asset_check_executions GROUP BY asset_key, check_name)
"""


def forget_old_runs(instance: Any, keep: int) -> int:
    """Delete finished runs beyond the newest `keep` with all they left; returns how many went."""
    history = Path(instance.root_directory) / "history"
    shards = [f for f in (history / "runs").glob("*.db") if f.name != _INDEX and f.stem]
    runs = instance.get_runs()
    old = [run.run_id for run in runs[keep:] if run.is_finished]
    for run_id in old:
        instance.delete_run(run_id)
    kept = {run.run_id for run in runs} - set(old)
    for shard in shards:
        # A run is written down before its first event: a file without a run is one that went.
        if shard.stem not in kept:
            _unlink(shard)
            # Whoever asks for its events again is answered with none.
            instance.event_log_storage._initialized_dbs.discard(shard.stem)
    if old:
        _sweep(history, sorted(kept))
    return len(old)


def _sweep(history: Path, kept: list[str]) -> None:
    """Rows of runs that went, and the room of rows that went when it has become much."""
    ids = "[" + ",".join(f'"{run_id}"' for run_id in kept) + "]"
    with _opened(history / "runs.db") as runs:
        runs.execute(_ORPHANS)
    with _opened(history / "runs" / _INDEX) as index:
        index.execute(_OLD_CHECKS, (ids,))
        free, size = (
            index.execute(f"PRAGMA {n}").fetchone()[0] for n in ("freelist_count", "page_size")
        )
        if free * size > _WORTH_IT_BYTES:
            index.execute("VACUUM")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A short visit; a database that is busy for long is left to the next time."""
    db = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            yield db
    finally:
        db.close()


def _unlink(shard: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        shard.with_name(shard.name + suffix).unlink(missing_ok=True)
