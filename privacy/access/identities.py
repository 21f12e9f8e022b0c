"""Everybody and every program that a home knows, over one connection.

Here: the parts put together. Not here: any of them (`accounts`, `sessions`, `links_and_tokens`,
`break_glass`), what somebody may do (`policy`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from privacy.access.access_tables import AccessTables
from privacy.access.accounts import Accounts
from privacy.access.break_glass import BreakGlass
from privacy.access.links_and_tokens import Links, Tokens
from privacy.access.sessions import Sessions
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore


class Identities:
    """Accounts, sessions, links, tokens and lent roles of one data home; safe across processes."""

    def __init__(
        self,
        home: Path,
        keys: KeyStore,
        log: AuditLog,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        tables = AccessTables(home, keys, log, clock)
        self.accounts, self.break_glass = Accounts(tables), BreakGlass(tables)
        self.sessions = Sessions(tables, self.accounts, self.break_glass)
        self.links, self.tokens = Links(tables, self.accounts, self.sessions), Tokens(tables)
