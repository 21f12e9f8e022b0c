"""Random secrets that stand for somebody: sessions, tokens and links, stored by hash.

Here: issuing, recognising and ending them. Not here: who gets one (`links_and_tokens`,
`sessions`) and what it may do (`policy`). A secret has 256 random bits; the table holds its SHA-256 and a
sealed record.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from privacy.access.access_policy import Role
from privacy.keys.key_store import KeyProblem
from privacy.keys.state import Sealer


@dataclass(frozen=True)
class Bearer:
    """What a secret stands for."""

    id: str
    kind: str
    owner: str
    role: Role
    expires_at: datetime


class BearerSecrets:
    """The secrets of one data home."""

    def __init__(
        self, db: sqlite3.Connection, sealer: Sealer, clock: Callable[[], datetime]
    ) -> None:
        self._db, self._sealer, self._clock = db, sealer, clock

    def issue(
        self, kind: str, owner: str, role: Role, expires_at: datetime, prefix: str = "s_"
    ) -> tuple[str, str]:
        """The id and the secret of a new one."""
        secret = secrets.token_urlsafe(32)
        secret_id = prefix + secrets.token_hex(6)
        until = expires_at.isoformat()
        record = {"role": role, "kind": kind, "owner": owner, "expires_at": until}
        sealed = self._sealer.seal(secret_id, record)
        self._db.execute(
            "INSERT INTO access_secrets (digest, id, kind, owner, expires_at, sealed)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (_digest(secret), secret_id, kind, owner, until, sealed),
        )
        return secret_id, secret

    def find(self, kind: str, secret: str) -> Bearer | None:
        """Whom a secret stands for now; raises KeyProblem when its record was altered."""
        row = self._db.execute(
            "SELECT id, sealed FROM access_secrets WHERE digest = ?", (_digest(secret),)
        ).fetchone()
        # All comes from the sealed record: changing a column lends nobody anything.
        found = self._opened(*row) if row else None
        is_good = found and found.kind == kind and found.expires_at > self._clock()
        return found if is_good else None

    def living(self, kind: str) -> list[Bearer]:
        """All of a kind, the next to expire first."""
        rows = self._db.execute(
            "SELECT id, sealed FROM access_secrets WHERE kind = ? AND expires_at > ?"
            " ORDER BY expires_at",
            (kind, self._clock().isoformat()),
        ).fetchall()
        return [self._opened(*row) for row in rows]

    def end(self, kind: str, secret_id: str) -> bool:
        """End one; False when there was none."""
        sql = "DELETE FROM access_secrets WHERE kind = ? AND id = ?"
        return bool(self._db.execute(sql, (kind, secret_id)).rowcount)

    def end_sessions_of(self, owner: str) -> None:
        """End every session of somebody."""
        self._db.execute(
            "DELETE FROM access_secrets WHERE owner = ? AND kind = 'session'", (owner,)
        )

    def remove_expired(self) -> list[Bearer]:
        """Delete what is past its end; each is returned to one caller only."""
        now = self._clock().isoformat()
        rows = self._db.execute(
            "SELECT id, sealed FROM access_secrets WHERE expires_at <= ?", (now,)
        ).fetchall()
        removed: list[Bearer] = []
        for secret_id, sealed in rows:
            sql = "DELETE FROM access_secrets WHERE id = ? AND expires_at <= ?"
            if not self._db.execute(sql, (secret_id, now)).rowcount:
                continue
            try:
                removed.append(self._opened(secret_id, sealed))
            except KeyProblem:
                continue  # The key of its day has expired before it: nobody can say whose it was.
        return removed

    def _opened(self, secret_id: str, sealed: bytes) -> Bearer:
        record = self._sealer.open(secret_id, sealed)
        return Bearer(
            secret_id,
            record["kind"],
            record["owner"],
            Role(record["role"]),
            datetime.fromisoformat(record["expires_at"]),
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
