"""A lake file is bound to its place: DuckDB's Parquet encryption does not do that.

Here: a keyed digest over path and bytes, and checking files against the catalog before they are read.
Not here: the catalog (`catalog`), reading (`lake`). A process checks a file once for as long as its
time and size stay the same, so that reads cost one `stat` per file.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ingestion.lake.catalog import LakeFile
from ingestion.settings import Settings
from privacy.keys.key_store import KeyProblem, KeyStore

_CHUNK_BYTES = 1024 * 1024
_checked: set[tuple[str, int, int, str]] = set()


def path_of(settings: Settings, file: LakeFile) -> Path:
    """Where a file lies: in the lake, or in the archive, which has the same layout."""
    return (settings.archive_path if file.is_archived else settings.lake_path) / file.path


def digest_of(home: Path, path: Path, relative: str) -> str:
    """Keyed BLAKE2b (RFC 7693) over the place in the lake and the bytes, as hex."""
    digest = hashlib.blake2b(relative.encode() + b"\0", digest_size=32, key=_key(home))
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def verify(settings: Settings, files: Sequence[LakeFile]) -> None:
    """Raise KeyProblem naming every file that is missing, moved or altered."""
    wrong = [str(path_of(settings, f)) for f in files if not _is_itself(settings, f)]
    if wrong:
        raise KeyProblem(
            f"{', '.join(wrong)}: missing, moved here from another place, cut off or altered. Restore "
            "it from a backup of the data; nothing was read from it."
        )


def _is_itself(settings: Settings, file: LakeFile) -> bool:
    path = path_of(settings, file)
    try:
        stat = path.stat()
    except FileNotFoundError:
        return False
    mark = (str(path), stat.st_mtime_ns, stat.st_size, file.digest)
    if mark in _checked:
        return True
    if stat.st_size != file.byte_count:
        return False
    if digest_of(settings.home, path, file.path) != file.digest:
        return False
    _checked.add(mark)
    return True


@cache
def _key(home: Path) -> bytes:
    return KeyStore.open(home).named_key("binding").secret
