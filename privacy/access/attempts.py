"""How often somebody may try a password: after a few failures each one makes the next wait longer.

Here: counting by name, whether it exists or not. Not here: whether a password is right (`sessions`).
"""

from datetime import timedelta

from privacy.access.access_tables import AccessTables
from privacy.disk.sqlite_databases import transaction

_FREE_ATTEMPTS = 5
_MAX_WAIT_S = 900


class Attempts:
    """Failed attempts at the names of a home."""

    def __init__(self, tables: AccessTables) -> None:
        self._tables = tables

    def may_try(self, name: str) -> bool:
        """Whether a name need not wait."""
        row = self._tables.db.execute(
            "SELECT until FROM access_attempts WHERE name_key = ?", (self._tables.name_key(name),)
        ).fetchone()
        return row is None or row[0] <= self._tables.clock().isoformat()

    def count_failure(self, name: str) -> None:
        """One more that failed; from the fifth on the wait doubles, up to a quarter of an hour."""
        with transaction(self._tables.db):
            row = self._tables.db.execute(
                "SELECT failed FROM access_attempts WHERE name_key = ?",
                (self._tables.name_key(name),),
            ).fetchone()
            failed = (row[0] if row else 0) + 1
            wait_s = min(2 ** max(failed - _FREE_ATTEMPTS, 0), _MAX_WAIT_S)
            wait_s = wait_s if failed >= _FREE_ATTEMPTS else 0
            until = (self._tables.clock() + timedelta(seconds=wait_s)).isoformat()
            self._tables.db.execute(
                "INSERT OR REPLACE INTO access_attempts (name_key, failed, until) VALUES (?, ?, ?)",
                (self._tables.name_key(name), failed, until),
            )

    def forget(self, name: str) -> None:
        """It succeeded: failures before it count no longer."""
        self._tables.db.execute(
            "DELETE FROM access_attempts WHERE name_key = ?", (self._tables.name_key(name),)
        )
