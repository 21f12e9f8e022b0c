"""Break-glass: a role lent to somebody for minutes, with a reason.

Here: lending, and what is lent now. Not here: who may lend (`policy`), what a session makes of it
(`sessions`).
"""

import secrets
from datetime import UTC, datetime, timedelta

from privacy.access.access_tables import AccessTables
from privacy.access.accounts import AccountProblem
from privacy.access.roles import Role


class BreakGlass:
    """The lent roles of a home."""

    def __init__(self, tables: AccessTables) -> None:
        self._tables = tables

    def lend(self, owner: str, role: Role, *, reason: str, minutes: float, by: str) -> datetime:
        """Lend a role to somebody until a moment; the reason is scrubbed into the audit log."""
        if not reason.strip():
            raise AccountProblem("break-glass needs a reason.")
        if not 1 <= minutes <= 480:
            raise AccountProblem("break-glass lasts 1 to 480 minutes.")
        until = self._tables.clock() + timedelta(minutes=minutes)
        grant_id = f"g_{secrets.token_hex(6)}"
        self._tables.log.append(
            actor=by,
            action="access.break_glass",
            target=owner,
            role=role,
            reason=reason,
            expires_at=until.astimezone(UTC).isoformat(),
        )
        record = {"owner": owner, "role": role, "expires_at": until.isoformat()}
        self._tables.db.execute(
            "INSERT INTO access_grants (id, owner, sealed) VALUES (?, ?, ?)",
            (grant_id, owner, self._tables.sealer.seal(grant_id, record)),
        )
        return until

    def lent(self, owner: str) -> list[tuple[Role, datetime]]:
        """Roles lent to somebody now, with their ends; what ended is deleted."""
        lent: list[tuple[Role, datetime]] = []
        rows = self._tables.db.execute(
            "SELECT id, sealed FROM access_grants WHERE owner = ?", (owner,)
        ).fetchall()
        for grant_id, sealed in rows:
            record = self._tables.sealer.open(grant_id, sealed)
            until = datetime.fromisoformat(record["expires_at"])
            if until <= self._tables.clock():
                self._tables.db.execute("DELETE FROM access_grants WHERE id = ?", (grant_id,))
            elif record["owner"] == owner:
                lent.append((Role(record["role"]), until))
        return lent
