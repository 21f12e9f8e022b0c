"""Which lake files are alive, which drain plan is open, which hours await a build.

Here: one small SQLite file beside the lake, written by the batch side alone. A parquet file that
the catalog does not list does not exist for any reader. Not here: the files themselves (`lake`).
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from ingestion.columns import add_column

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, signal TEXT NOT NULL, hour_at TEXT NOT NULL,
    row_count INTEGER NOT NULL, byte_count INTEGER NOT NULL, plan INTEGER NOT NULL,
    digest TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS files_hour ON files (signal, hour_at);
CREATE TABLE IF NOT EXISTS plans (
    plan INTEGER PRIMARY KEY AUTOINCREMENT, low INTEGER NOT NULL, high INTEGER NOT NULL,
    is_done INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS dirty_hours (
    signal TEXT NOT NULL, hour_at TEXT NOT NULL, generation INTEGER NOT NULL,
    PRIMARY KEY (signal, hour_at)
);
CREATE TABLE IF NOT EXISTS scanned_files (path TEXT PRIMARY KEY, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS purged_hours (  -- built and gone: late rows must not rebuild them
    signal TEXT NOT NULL, hour_at TEXT NOT NULL, PRIMARY KEY (signal, hour_at)
);
"""


def lake_dataset(signal: str, generation: str = "") -> str:
    """The dataset of a signal's day keys."""
    return f"lake.{signal}.{generation}" if generation else f"lake.{signal}"


@dataclass(frozen=True)
class LakeFile:
    """One parquet file; `path` is relative to the lake, `hour_at` is the event hour.

    `detectors` are the ids of the detectors that its texts have passed.
    """

    path: str
    signal: str
    hour_at: datetime
    row_count: int
    byte_count: int
    digest: str  # keyed, of path and bytes: a file that was moved or altered is not this file
    detectors: tuple[str, ...] = ()
    generation: str = ""  # of the day's key: a day that was written anew has another one
    is_archived: bool = False

    @property
    def day(self) -> date:
        """The day whose key seals the file."""
        return self.hour_at.date()

    @property
    def key_id(self) -> str:
        """The id of the key that seals the file."""
        return f"{lake_dataset(self.signal, self.generation)}/{self.day}"


@dataclass(frozen=True)
class Plan:
    """Spool rows low..high, written to the lake together."""

    number: int
    low: int
    high: int


@dataclass(frozen=True)
class DirtyHour:
    """An hour of a signal that changed after the last complete build."""

    signal: str
    hour_at: datetime
    generation: int


class Catalog:
    """The catalog of one lake folder."""

    def __init__(self, lake: Path) -> None:
        lake.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(lake / "catalog.db", timeout=30, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        add_column(self._db, "files", "detectors", "TEXT NOT NULL DEFAULT ''")
        add_column(self._db, "files", "generation", "TEXT NOT NULL DEFAULT ''")
        add_column(self._db, "files", "is_archived", "INTEGER NOT NULL DEFAULT 0")

    def open_plan(self) -> Plan | None:
        """The plan that a crash left unfinished."""
        row = self._db.execute("SELECT plan, low, high FROM plans WHERE is_done = 0").fetchone()
        return Plan(*row) if row else None

    def begin_plan(self, low: int, high: int) -> Plan:
        """Write down what is about to be drained, before anything is written to the lake."""
        cursor = self._db.execute("INSERT INTO plans (low, high) VALUES (?, ?)", (low, high))
        return Plan(cursor.lastrowid or 0, low, high)

    def finish_plan(self, plan: Plan, files: Sequence[LakeFile]) -> None:
        """Bring a plan's files to life and mark their hours dirty, in one transaction."""
        with self._transaction():
            self._add(files, plan.number)
            self._db.executemany(
                "INSERT INTO dirty_hours VALUES (?, ?, ?) ON CONFLICT (signal, hour_at)"
                " DO UPDATE SET generation = excluded.generation",
                [(f.signal, f.hour_at.isoformat(), plan.number) for f in files],
            )
            self._db.execute("UPDATE plans SET is_done = 1 WHERE plan = ?", (plan.number,))

    def last_drained(self) -> int:
        """The highest spool seq of a finished plan."""
        row = self._db.execute("SELECT max(high) FROM plans WHERE is_done = 1").fetchone()
        return row[0] or 0

    def replace(self, old: Sequence[LakeFile], new: LakeFile, plan: int) -> None:
        """Swap the files of an hour for their compacted form; nothing becomes dirty."""
        with self._transaction():
            unscanned = {f.path for f in self.unscanned(new.signal)}
            self._db.executemany("DELETE FROM files WHERE path = ?", [(f.path,) for f in old])
            self._add([new], plan)
            if not unscanned & {new.path, *(f.path for f in old)}:
                self._note_scanned([new])

    def amend(self, old: LakeFile, new: Sequence[LakeFile]) -> None:
        """Swap a file for others that hold less; their hours await a build again."""
        with self._transaction():
            self._db.execute("DELETE FROM files WHERE path = ?", (old.path,))
            self._add(new, 0)
            row = self._db.execute("SELECT coalesce(max(plan), 0) FROM plans").fetchone()
            closed = set(self.purged(old.signal))
            hours = {
                (f.signal, f.hour_at.isoformat(), row[0])
                for f in [old, *new]
                if f.signal != old.signal or f.hour_at not in closed
            }
            self._db.executemany(
                "INSERT INTO dirty_hours VALUES (?, ?, ?) ON CONFLICT (signal, hour_at)"
                " DO UPDATE SET generation = excluded.generation",
                sorted(hours),
            )

    def forget(self, files: Sequence[LakeFile]) -> None:
        """Take files off the list for good; their hours are closed and await no build."""
        with self._transaction():
            self._db.executemany("DELETE FROM files WHERE path = ?", [(f.path,) for f in files])
            hours = {(f.signal, f.hour_at.isoformat()) for f in files}
            self._db.executemany(
                "DELETE FROM dirty_hours WHERE signal = ? AND hour_at = ?", sorted(hours)
            )
            self._db.executemany("INSERT OR IGNORE INTO purged_hours VALUES (?, ?)", sorted(hours))

    def replace_day(
        self, signal: str, day: date, old: Sequence[LakeFile], new: Sequence[LakeFile]
    ) -> None:
        """Swap all files of a day for those that hold less; the whole day is closed.

        Late rows would make its marts anew from what is left, and use the key that is destroyed.
        """
        start = datetime.combine(day, datetime.min.time())
        hours = [(signal, (start + timedelta(hours=n)).isoformat()) for n in range(24)]
        with self._transaction():
            unscanned = {f.path for f in self.unscanned(signal)}
            self._db.executemany("DELETE FROM files WHERE path = ?", [(f.path,) for f in old])
            self._add(new, 0)
            if not unscanned & {f.path for f in old}:
                self._note_scanned(new)
            self._db.executemany("INSERT OR IGNORE INTO purged_hours VALUES (?, ?)", hours)

    def note_archived(self, files: Sequence[LakeFile]) -> None:
        """These files lie in the archive now."""
        with self._transaction():
            self._db.executemany(
                "UPDATE files SET is_archived = 1 WHERE path = ?", [(f.path,) for f in files]
            )

    def purged(self, signal: str) -> list[datetime]:
        """Hours of a signal that were purged."""
        rows = self._db.execute("SELECT hour_at FROM purged_hours WHERE signal = ?", (signal,))
        return [datetime.fromisoformat(hour) for (hour,) in rows]

    def files(self, signal: str, hours: Sequence[datetime] | None = None) -> list[LakeFile]:
        """Live files of a signal, of all hours or of those given."""
        condition, values = "", [signal]
        if hours is not None:
            condition = f" AND hour_at IN ({','.join('?' * len(hours))})"
            values += [hour.isoformat() for hour in hours]
        rows = self._db.execute(
            "SELECT path, signal, hour_at, row_count, byte_count, digest, detectors, generation,"
            " is_archived FROM files"
            f" WHERE signal = ?{condition} ORDER BY hour_at, path",
            values,
        )
        return [
            LakeFile(p, s, datetime.fromisoformat(h), n, b, d, tuple(ids.split()), g, bool(a))
            for p, s, h, n, b, d, ids, g, a in rows
        ]

    def unscanned(self, signal: str) -> list[LakeFile]:
        """Live files of a signal in which nobody looked for leaks yet."""
        known = dict(self._db.execute("SELECT path, digest FROM scanned_files"))
        return [f for f in self.files(signal) if known.get(f.path) != f.digest]

    def note_scanned(self, files: Sequence[LakeFile]) -> None:
        """Remember files that were looked at, and forget those that are gone."""
        with self._transaction():
            self._note_scanned(files)
            self._db.execute("DELETE FROM scanned_files WHERE path NOT IN (SELECT path FROM files)")

    def _note_scanned(self, files: Sequence[LakeFile]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO scanned_files VALUES (?, ?)",
            [(f.path, f.digest) for f in files],
        )

    def crowded_hours(self, more_than: int, before: datetime) -> list[tuple[str, datetime]]:
        """Closed hours with more files than this: candidates for compaction."""
        rows = self._db.execute(
            "SELECT signal, hour_at FROM files WHERE hour_at < ? GROUP BY 1, 2 HAVING count(*) > ?",
            (before.isoformat(), more_than),
        )
        return [(signal, datetime.fromisoformat(hour)) for signal, hour in rows]

    def dirty_hours(self) -> list[DirtyHour]:
        """Hours that changed after the last complete build."""
        rows = self._db.execute("SELECT signal, hour_at, generation FROM dirty_hours ORDER BY 1, 2")
        return [DirtyHour(s, datetime.fromisoformat(h), g) for s, h, g in rows]

    def clean(self, built: Sequence[DirtyHour]) -> None:
        """Forget hours that a build has covered, unless they changed again meanwhile."""
        self._db.executemany(
            "DELETE FROM dirty_hours WHERE signal = ? AND hour_at = ? AND generation <= ?",
            [(d.signal, d.hour_at.isoformat(), d.generation) for d in built],
        )

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _add(self, files: Sequence[LakeFile], plan: int) -> None:
        rows = [
            (f.path, f.signal, f.hour_at.isoformat(), f.row_count, f.byte_count, plan, f.digest,
             " ".join(f.detectors), f.generation, f.is_archived)
            for f in files
        ]  # fmt: skip
        columns = (
            "path, signal, hour_at, row_count, byte_count, plan, digest, detectors, generation,"
            " is_archived"
        )
        marks = ", ".join("?" * 10)
        self._db.executemany(f"INSERT OR REPLACE INTO files ({columns}) VALUES ({marks})", rows)

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if error_type is None else "ROLLBACK")
