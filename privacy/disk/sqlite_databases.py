"""SQLite databases of a home: opened with their pragmas, and brought to the layout that is known here.

Here: connections, transactions, ordered migrations counted in `PRAGMA user_version`. Not here: which
tables there are; each database has one list of steps, beside its owner. No other module opens a database
for writing or makes a table (`tests/privacy/disk/test_sqlite_databases.py`).

A home moves by one version in either direction. Forward: what it lacks of the steps, in one transaction.
Back: a step only adds (tables, indexes, columns with a default), and every INSERT names its columns, so
that the version before works in a home of the next one. Two versions ahead is refused.
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_MADE = re.compile(r"\bCREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER) IF NOT EXISTS (\w+)")
_AHEAD = 1
"""How many steps a home may have that this version does not know."""


class DatabaseProblem(sqlite3.DatabaseError):
    """A database cannot be opened by this version; the message names the fix."""


@dataclass(frozen=True)
class Step:
    """One migration: CREATE … IF NOT EXISTS, then columns (table, column, declaration) that a table may lack.

    It may be taken again: homes were not counted from the beginning, and a table may have been dropped.
    """

    script: str
    columns: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Schema:
    """A database: its steps in order, of which the n-th leads to version n, and its pragmas.

    Pragmas are set in order, before the first table is made. A step that was released is not changed.
    """

    steps: tuple[Step, ...]
    pragmas: tuple[str, ...] = ("journal_mode=WAL", "synchronous=FULL")

    @property
    def version(self) -> int:
        """What `user_version` is after the last step."""
        return len(self.steps)

    @cached_property
    def names(self) -> frozenset[str]:
        """Its tables, indexes and triggers."""
        return frozenset(name for step in self.steps for name in _MADE.findall(step.script))


def open_database(
    path: Path, schema: Schema, *, check_same_thread: bool = True
) -> sqlite3.Connection:
    """A connection in autocommit mode to a database that has the layout of `schema`.

    Raises DatabaseProblem when a later version has changed it beyond what is understood here, and
    sqlite3.Error when it is damaged or busy for 30 seconds.
    """
    db = sqlite3.connect(
        path, isolation_level=None, timeout=30, check_same_thread=check_same_thread
    )
    try:
        for pragma in schema.pragmas:
            db.execute(f"PRAGMA {pragma}")
        found = version_of(db)
        if found > schema.version + _AHEAD:
            raise DatabaseProblem(_too_new(path, found, schema.version))
        if found < schema.version or not schema.names <= _names_in(db):
            _migrate(db, schema)
    except BaseException:
        db.close()
        raise
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that only reads, in whatever layout; raises sqlite3.Error when there is no database."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)


def version_of(db: sqlite3.Connection) -> int:
    """How many steps the database has taken."""
    return db.execute("PRAGMA user_version").fetchone()[0]


class transaction:
    """`with transaction(db):` BEGIN IMMEDIATE … COMMIT; rolled back when the block or the commit raises."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        try:
            if raised is None:
                self._db.execute("COMMIT")
        finally:
            # SQLite may have rolled back by itself: a full disk is one such reason.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _too_new(path: Path, found: int, known: int) -> str:
    return (
        f"{path} has layout {found}, and this version of the product knows layout {known}: a later version "
        "has written it. Start that version again or the one before it; to go back further, restore the "
        "home from its backup."
    )


def _migrate(db: sqlite3.Connection, schema: Schema) -> None:
    with transaction(db):
        # All of them: what is there stays, whoever made it, and what was dropped comes back empty.
        for step in schema.steps:
            _take(db, step)
        db.execute(f"PRAGMA user_version = {max(version_of(db), schema.version)}")


def _names_in(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master")}


def _take(db: sqlite3.Connection, step: Step) -> None:
    for statement in _statements(step.script):
        db.execute(statement)
    for table, column, declaration in step.columns:
        if column not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {declaration}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, each of which ends a line; `executescript` would commit before them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError("the last statement of a script does not end")
