"""What all parts of signing in share: tables, sealing, the audit log, the clock, and how a name is found.

Here: one connection for a data home; safe across processes. Not here: accounts (`accounts`), sessions
(`sessions`), links and tokens (`links_and_tokens`), lent roles (`break_glass`).
"""

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from privacy.access.bearer import BearerSecrets
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect


class AccessTables:
    """The tables of a home, and what seals and records what is done with them."""

    def __init__(
        self,
        home: Path,
        keys: KeyStore,
        log: AuditLog,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.db: sqlite3.Connection = connect(home)
        self.sealer = Sealer(keys, "access")
        self.secrets = BearerSecrets(self.db, self.sealer, clock)
        self.log, self.clock = log, clock
        self._name_secret = keys.named_key("access.names").secret

    def digest(self, text: bytes, *, size: int) -> bytes:
        """What a name is found by, `size` bytes; without the key nobody can try names."""
        return hashlib.blake2b(text, key=self._name_secret, digest_size=size).digest()

    def name_key(self, name: str) -> bytes:
        """What an account is found by: its name, however it is written, digested."""
        return self.digest(name.strip().casefold().encode(), size=16)
