"""Old partitions leave for the archive: cheaper disk, out of the way, sealed as they were.

Here: which days go and moving their files. Not here: the rules (`privacy/retention`) and purging
(`expiry`), which reaches the archive as well. The catalog knows where a file lies, so duplicates, late rows,
erasures and leak scans see it there; a back-test of history reads it only when asked. The key is still the
day's: destroying it purges lake, archive and backups at once.
"""

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ingestion.lake.binding import digest_of, path_of
from ingestion.lake.catalog import Catalog, LakeFile
from ingestion.settings import Settings
from privacy.disk.files import put_in_place
from privacy.keys.key_store import KeyProblem

_DAY = timedelta(days=1)


def due(settings: Settings, signal: str, cutoff: datetime) -> list[LakeFile]:
    """Files in the lake whose whole day has ended by the cutoff (UTC without zone)."""
    catalog = Catalog(settings.lake_path)
    unbuilt = {d.hour_at for d in catalog.dirty_hours() if d.signal == signal}
    files = catalog.files(signal)
    catalog.close()
    return [
        f
        for f in files
        if not f.is_archived
        and f.hour_at not in unbuilt
        and datetime.combine(f.day, datetime.min.time()) + _DAY <= cutoff
    ]


def move(settings: Settings, files: Sequence[LakeFile]) -> None:
    """Copy, check, list, unlink; a crash in between is finished by the next pass.

    Raises KeyProblem when a copy is not the file. Callers hold the writer's lock.
    """
    catalog = Catalog(settings.lake_path)
    try:
        for file in files:
            source, target = path_of(settings, file), settings.archive_path / file.path
            _copy(source, target)
            if digest_of(settings.home, target, file.path) != file.digest:
                target.unlink()
                raise KeyProblem(
                    f"{source} is altered, or its copy {target} is: it stays in the lake. Restore it from "
                    "a backup of the data."
                )
            catalog.note_archived([file])
            source.unlink(missing_ok=True)
    finally:
        catalog.close()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    with source.open("rb") as old, temporary.open("wb") as new:
        shutil.copyfileobj(old, new)
    put_in_place(temporary, target)
