"""Columns that a table of an older home lacks.

Here: adding one, whichever process comes first. Not here: the tables (`spool`, `catalog`).
"""

import sqlite3


def add_column(db: sqlite3.Connection, table: str, column: str, declaration: str) -> None:
    """Add a column with a default unless the table has it; `db` is in autocommit mode."""
    if _has(db, table, column):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been quicker.
        if not _has(db, table, column):
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {declaration}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _has(db: sqlite3.Connection, table: str, column: str) -> bool:
    return any(row[1] == column for row in db.execute(f"PRAGMA table_info({table})"))
