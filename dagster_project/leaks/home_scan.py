"""The leak scan of a data home: plant, look everywhere, be blind nowhere, clean up.

Here: what is walked (sealed texts with the keys, published and warehouse marts, and every raw byte
of the home and of dbt's artefacts). Not here: what is planted (`planted`), what a leak looks like
(`privacy/leaks/detector`), opening sealed things (`ingestion/lake/stored_texts`).

A scratch home inside the home holds one planted leak of every kind in every medium, under the same
keys and walked by the same code. It is removed at the end, and at the start of the next scan when
this one was killed.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.leaks.planted import MEDIA, SCRATCH, planted
from dagster_project.marts.warehouse import DBT_PROJECT, warehouse_key, writer_lock
from ingestion.lake.duck import attach, connect, key_of_file, published_dataset
from ingestion.lake.stored_texts import (
    Texts,
    files_below,
    lake_texts,
    spool_texts,
    state_texts,
    table_texts,
)
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from privacy.leaks.detector import LeakDetector
from privacy.leaks.samples import SAMPLES

ARTEFACTS = (DBT_PROJECT / "target", DBT_PROJECT / "logs")
"""What dbt writes beside its models."""

_CHUNK = 16 * 1024 * 1024
_OVERLAP = 4_096
# Ids of runs, batches and builds are our own; in the stored texts of senders no UUID may stand.
_OUR_IDS = frozenset({"uuid"})
# These fields name servers, which `allow_list.yaml` keeps on purpose.
_SERVERS = frozenset(
    """host hosts host.name instance target server.address net.host.name net.peer.name http.host
    http.server_name net.sock.host.addr peer.service http.url url.full""".split()
)


@dataclass(frozen=True)
class Finding:
    """So many leaks of a kind in a place; never the text."""

    place: str
    kind: str
    count: int


@dataclass(frozen=True)
class ScanReport:
    """What a scan looked at and found. `blind` names media where a planted leak was not seen."""

    findings: tuple[Finding, ...]
    blind: tuple[str, ...]
    unread: tuple[str, ...]
    planted: int
    texts: int
    files: int
    bytes: int
    duration_s: float

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 2 when the scan cannot vouch for its answer."""
        return 2 if self.blind or self.unread else int(bool(self.findings))


def without_kinds(place: str, field: str) -> frozenset[str]:
    """Kinds that are no leak in a field: addresses of servers, and our own ids in marts and state."""
    without = frozenset({"ip"}) if field in _SERVERS else frozenset()
    return without | _OUR_IDS if place.startswith(("warehouse", "state")) else without


class _Look:
    """Findings of one walk over one home."""

    def __init__(self, detector: LeakDetector) -> None:
        self._detector = detector
        self.found: dict[str, Counter[str]] = {}
        self.unread: set[str] = set()
        self.texts = self.files = self.bytes = 0

    def at_texts(self, source: Iterable[Texts]) -> None:
        for part in source:
            if part.problem:
                self.unread.add(f"{part.place}: {part.problem}")
                continue
            self.texts += len(part.texts)
            without = without_kinds(part.place, part.field)
            self._add(part.place, self._detector.find_texts(part.texts, without=without))

    def at_file(self, path: Path, name: str) -> None:
        try:
            with path.open("rb") as file:
                before = b""
                while piece := file.read(_CHUNK):
                    self.bytes += len(piece)
                    self._add(name, self._detector.find(before + piece, without=_OUR_IDS))
                    before = piece[-_OVERLAP:] if len(piece) == _CHUNK else b""
        except FileNotFoundError:  # rotated or swapped while the scan runs
            return
        except OSError as error:
            self.unread.add(f"{name}: {error.strerror}")
        self.files += 1

    def _add(self, place: str, found: Counter[str]) -> None:
        if found:
            self.found[place] = self.found.get(place, Counter()) + found


def scan_home(
    settings: Settings,
    keys: KeyStore,
    *,
    listed: Iterable[str] = (),
    artefacts: Iterable[Path] = ARTEFACTS,
    progress: Callable[[str], None] = lambda _: None,
) -> ScanReport:
    """Scan a home and the folders of artefacts outside it; raises ValueError for too short listed texts.

    Waits for a running build, because the warehouse has one writer.
    """
    started = time.monotonic()
    own = (DBT_PROJECT.parent, settings.home, Path.home())
    detector = LeakDetector(listed, own_roots=own)
    with writer_lock(settings, progress):
        progress("looking for the leaks it planted itself")
        for left in settings.home.glob(f"{SCRATCH}*"):
            shutil.rmtree(left)
        with planted(settings, keys) as scratch:
            control = _Look(LeakDetector(own_roots=own))
            _walk(control, scratch, keys)
            blind = _blind(control)
        look = _Look(detector)
        _walk(look, settings, keys, progress)
        for folder in artefacts:
            for path in files_below(folder) if folder.exists() else ():
                look.at_file(path, f"{folder.name}/{path.relative_to(folder)}")
    findings = tuple(
        Finding(place, kind, count)
        for place, kinds in sorted(look.found.items())
        for kind, count in sorted(kinds.items())
    )
    return ScanReport(
        findings,
        tuple(blind),
        tuple(sorted(look.unread | control.unread)),
        len(MEDIA) * len(SAMPLES),
        look.texts,
        look.files,
        look.bytes,
        time.monotonic() - started,
    )


def _walk(
    look: _Look,
    settings: Settings,
    keys: KeyStore,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    progress("reading the spool")
    look.at_texts(spool_texts(settings, keys))
    progress("reading the lake")
    look.at_texts(lake_texts(settings, keys))
    progress("reading state and marts")
    look.at_texts(state_texts(settings, keys))
    look.at_texts(_mart_texts(settings, keys))
    progress("reading every byte of every file")
    for path in files_below(settings.home):
        look.at_file(path, str(path.relative_to(settings.home)))


def _mart_texts(settings: Settings, keys: KeyStore) -> Iterator[Texts]:
    if settings.warehouse_path.exists():
        con = connect(memory_limit=settings.warehouse.memory_limit)
        attach(con, settings.warehouse_path, "warehouse", warehouse_key(settings, keys))
        yield from _database_texts(con, "warehouse")
    for path in sorted((settings.home / "published").glob("*.duckdb")):
        con = connect(memory_limit=settings.warehouse.memory_limit)
        key = key_of_file(path, keys, published_dataset(path.stem))
        attach(con, path, "published", key)
        yield from _database_texts(con, "published")


def _database_texts(con: duckdb.DuckDBPyConnection, name: str) -> Iterator[Texts]:
    tables = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [name]
    ).fetchall()
    for schema, table in tables:
        for batch in con.execute(f'FROM {name}."{schema}"."{table}"').to_arrow_reader(100_000):
            yield from table_texts(f"{name} {table}", pa.table(batch))
    con.close()


def _blind(look: _Look) -> Iterator[str]:
    for medium in MEDIA:
        seen = look.found.get(medium, Counter())
        unseen = [kind for kind in SAMPLES if not seen[kind] and not _is_skipped(medium, kind)]
        if unseen:
            yield f"{medium}: {', '.join(unseen)}"


def _is_skipped(medium: str, kind: str) -> bool:
    """UUIDs are our own ids everywhere but in what senders' facts became."""
    return kind in _OUR_IDS and not medium.startswith(("spool", "lake", "published"))
