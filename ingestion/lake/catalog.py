"""Which lake files are alive, which drain plan is open, which hours await a build.

Here: one small SQLite file beside the lake, written by the batch side alone. A parquet file that
the catalog does not list does not exist for any reader. Not here: the files themselves (`lake`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from privacy.disk.sqlite_databases import Schema, Step, open_database, transaction

SCHEMA = Schema(
    steps=(
        Step(
            """
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
    since INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (signal, hour_at)
);
CREATE TABLE IF NOT EXISTS scanned_files (path TEXT PRIMARY KEY, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS layouts (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS purged_hours (  -- built and gone: late rows must not rebuild them
    signal TEXT NOT NULL, hour_at TEXT NOT NULL, PRIMARY KEY (signal, hour_at)
);
""",
            columns=(
                ("files", "detectors", "TEXT NOT NULL DEFAULT ''"),
                ("files", "generation", "TEXT NOT NULL DEFAULT ''"),
                ("files", "is_archived", "INTEGER NOT NULL DEFAULT 0"),
                ("files", "first_at", "TEXT"),
                ("files", "last_at", "TEXT"),
                ("files", "has_identities", "INTEGER NOT NULL DEFAULT 0"),
                ("dirty_hours", "since", "INTEGER NOT NULL DEFAULT 0"),
            ),
        ),
    ),
)
_CLOSE = "INSERT OR IGNORE INTO purged_hours (signal, hour_at) VALUES (?, ?)"


def lake_dataset(signal: str, generation: str = "") -> str:
    """The dataset of a signal's day keys."""
    return f"lake.{signal}.{generation}" if generation else f"lake.{signal}"


@dataclass(frozen=True)
class LakeFile:
    """One parquet file; `path` is relative to the lake, `hour_at` is the event hour.

    `detectors` are the ids of the detectors that its texts have passed. `first_at` and `last_at`
    bound the times of its rows; without them it may hold any of its hour.
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
    plan: int = 0  # the drain that wrote it; 0 when it was written anew since
    first_at: datetime | None = None
    last_at: datetime | None = None
    has_identities: bool = False  # holds what repeats are recognised by (`lake`)

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
    """An hour of a signal that changed after the last complete build.

    `since` is the first plan whose files nobody has built; 0 when rows went or were altered, so
    that the whole hour must be built anew.
    """

    signal: str
    hour_at: datetime
    generation: int
    since: int = 0


class Catalog:
    """The catalog of one lake folder."""

    def __init__(self, lake: Path) -> None:
        lake.mkdir(parents=True, exist_ok=True)
        self._db = open_database(lake / "catalog.db", SCHEMA)

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
        with transaction(self._db):
            self._add(files, plan.number)
            self._mark_dirty(
                {(f.signal, f.hour_at.isoformat()) for f in files}, plan.number, since=plan.number
            )
            self._db.execute("UPDATE plans SET is_done = 1 WHERE plan = ?", (plan.number,))

    def last_drained(self) -> int:
        """The highest spool seq of a finished plan."""
        row = self._db.execute("SELECT max(high) FROM plans WHERE is_done = 1").fetchone()
        return row[0] or 0

    def replace(self, old: Sequence[LakeFile], new: LakeFile, plan: int) -> None:
        """Swap the files of an hour for their compacted form; nothing becomes dirty."""
        with transaction(self._db):
            unscanned = {f.path for f in self.unscanned(new.signal)}
            self._db.executemany("DELETE FROM files WHERE path = ?", [(f.path,) for f in old])
            self._add([new], plan)
            if not unscanned & {new.path, *(f.path for f in old)}:
                self._note_scanned([new])

    def amend(self, old: LakeFile, new: Sequence[LakeFile]) -> None:
        """Swap a file for others that hold less; their hours await a build again."""
        with transaction(self._db):
            self._db.execute("DELETE FROM files WHERE path = ?", (old.path,))
            self._add(new, 0)
            row = self._db.execute("SELECT coalesce(max(plan), 0) FROM plans").fetchone()
            closed = set(self.purged(old.signal))
            hours = {
                (f.signal, f.hour_at.isoformat())
                for f in [old, *new]
                if f.signal != old.signal or f.hour_at not in closed
            }
            self._mark_dirty(hours, row[0], since=0)

    def forget(self, files: Sequence[LakeFile]) -> None:
        """Take files off the list for good; their hours are closed and await no build."""
        with transaction(self._db):
            self._db.executemany("DELETE FROM files WHERE path = ?", [(f.path,) for f in files])
            hours = {(f.signal, f.hour_at.isoformat()) for f in files}
            self._db.executemany(
                "DELETE FROM dirty_hours WHERE signal = ? AND hour_at = ?", sorted(hours)
            )
            self._db.executemany(_CLOSE, sorted(hours))

    def replace_day(
        self, signal: str, day: date, old: Sequence[LakeFile], new: Sequence[LakeFile]
    ) -> None:
        """Swap all files of a day for those that hold less; the whole day is closed.

        Late rows would make its marts anew from what is left, and use the key that is destroyed.
        """
        start = datetime.combine(day, datetime.min.time())
        hours = [(signal, (start + timedelta(hours=n)).isoformat()) for n in range(24)]
        with transaction(self._db):
            unscanned = {f.path for f in self.unscanned(signal)}
            self._db.executemany("DELETE FROM files WHERE path = ?", [(f.path,) for f in old])
            self._add(new, 0)
            if not unscanned & {f.path for f in old}:
                self._note_scanned(new)
            self._db.executemany(_CLOSE, hours)

    def note_archived(self, files: Sequence[LakeFile]) -> None:
        """These files lie in the archive now."""
        with transaction(self._db):
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
            f"SELECT {_COLUMNS} FROM files WHERE signal = ?{condition} ORDER BY hour_at, path",
            values,
        )
        return [_file(*row) for row in rows]

    def unscanned(self, signal: str) -> list[LakeFile]:
        """Live files of a signal in which nobody looked for leaks yet."""
        known = dict(self._db.execute("SELECT path, digest FROM scanned_files"))
        return [f for f in self.files(signal) if known.get(f.path) != f.digest]

    def note_scanned(self, files: Sequence[LakeFile]) -> None:
        """Remember files that were looked at, and forget those that are gone."""
        with transaction(self._db):
            self._note_scanned(files)
            self._db.execute("DELETE FROM scanned_files WHERE path NOT IN (SELECT path FROM files)")

    def _note_scanned(self, files: Sequence[LakeFile]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO scanned_files (path, digest) VALUES (?, ?)",
            [(f.path, f.digest) for f in files],
        )

    def crowded_hours(self, more_than: int, before: datetime) -> list[tuple[str, datetime]]:
        """Closed, built hours with more files than this: candidates for compaction."""
        rows = self._db.execute(
            "SELECT signal, hour_at FROM files WHERE hour_at < ?"
            " AND (signal, hour_at) NOT IN (SELECT signal, hour_at FROM dirty_hours)"
            " GROUP BY 1, 2 HAVING count(*) > ?",
            (before.isoformat(), more_than),
        )
        return [(signal, datetime.fromisoformat(hour)) for signal, hour in rows]

    def dirty_hours(self) -> list[DirtyHour]:
        """Hours that changed after the last complete build."""
        rows = self._db.execute(
            "SELECT signal, hour_at, generation, since FROM dirty_hours ORDER BY 1, 2"
        )
        return [DirtyHour(s, datetime.fromisoformat(h), g, n) for s, h, g, n in rows]

    def clean(self, built: Sequence[DirtyHour]) -> None:
        """Forget what a build has covered; an hour that changed meanwhile keeps what is new in it."""
        keys = [(d.generation, d.signal, d.hour_at.isoformat()) for d in built]
        with transaction(self._db):
            self._db.executemany(
                "DELETE FROM dirty_hours WHERE generation <= ? AND signal = ? AND hour_at = ?", keys
            )
            self._db.executemany(
                "UPDATE dirty_hours SET since = max(since, 1 + ?)"
                " WHERE since > 0 AND signal = ? AND hour_at = ?",
                keys,
            )

    def layout(self, name: str) -> int:
        """Which layout of something that is built from here was built last; 0 before the first."""
        row = self._db.execute("SELECT version FROM layouts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def note_layout(self, name: str, version: int) -> None:
        """Remember what was built."""
        self._db.execute(
            "INSERT OR REPLACE INTO layouts (name, version) VALUES (?, ?)", (name, version)
        )

    def reopen_since(self, hour_at: datetime) -> None:
        """Every hour from this one on awaits a build of all its rows."""
        generation = self._db.execute("SELECT coalesce(max(plan), 0) FROM plans").fetchone()[0]
        rows = self._db.execute(
            "SELECT DISTINCT signal, hour_at FROM files WHERE hour_at >= ?"
            " AND (signal, hour_at) NOT IN (SELECT signal, hour_at FROM purged_hours)",
            (hour_at.isoformat(),),
        )
        with transaction(self._db):
            self._mark_dirty(set(rows.fetchall()), generation, since=0)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _mark_dirty(self, hours: set[tuple[str, str]], generation: int, *, since: int) -> None:
        self._db.executemany(
            "INSERT INTO dirty_hours (signal, hour_at, generation, since) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (signal, hour_at) DO UPDATE SET generation = excluded.generation,"
            " since = min(since, excluded.since)",
            [(*hour, generation, since) for hour in sorted(hours)],
        )

    def _add(self, files: Sequence[LakeFile], plan: int) -> None:
        marks = ", ".join("?" * len(_COLUMNS.split(",")))
        self._db.executemany(
            f"INSERT OR REPLACE INTO files ({_COLUMNS}) VALUES ({marks})",
            [_row(file, plan) for file in files],
        )


_COLUMNS = (
    "path, signal, hour_at, row_count, byte_count, digest, detectors, generation, is_archived, plan,"
    " first_at, last_at, has_identities"
)


def _row(file: LakeFile, plan: int) -> tuple[str | int | None, ...]:
    return (
        file.path, file.signal, file.hour_at.isoformat(), file.row_count, file.byte_count,
        file.digest, " ".join(file.detectors), file.generation, file.is_archived, plan,
        file.first_at.isoformat() if file.first_at else None,
        file.last_at.isoformat() if file.last_at else None,
        file.has_identities,
    )  # fmt: skip


def _file(*row: Any) -> LakeFile:
    path, signal, hour, rows, size, digest, ids, generation, is_archived, plan, first, last, has = (
        row
    )
    return LakeFile(
        path, signal, datetime.fromisoformat(hour), rows, size, digest, tuple(ids.split()),
        generation, bool(is_archived), plan,
        datetime.fromisoformat(first) if first else None,
        datetime.fromisoformat(last) if last else None,
        bool(has),
    )  # fmt: skip
