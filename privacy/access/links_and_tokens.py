"""Secrets that are handed out: links that sign in once, tokens of programs.

Here: making, recognising and ending them, with an audit entry for each. Not here: how a secret is kept
(`bearer`), sessions (`sessions`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from privacy.access.access_tables import AccessTables
from privacy.access.accounts import AccountProblem, Accounts
from privacy.access.roles import Principal, Role
from privacy.access.sessions import Sessions


@dataclass(frozen=True)
class Token:
    """A bearer token without its secret."""

    id: str
    role: Role
    expires_at: datetime


class Links:
    """Links of a home that sign in once."""

    def __init__(self, tables: AccessTables, accounts: Accounts, sessions: Sessions) -> None:
        self._tables, self._accounts, self._sessions = tables, accounts, sessions

    def first(self) -> str | None:
        """The secret of the first admin link, the first time that anybody asks; else None."""
        if self._accounts.users() or self._tables.log.entries(action="access.link_create", limit=1):
            return None
        return self.create(Role.ADMIN, hours=24, by="service:up")

    def create(self, role: Role, *, hours: float, by: str) -> str:
        """The secret of a link that signs in once."""
        link_id, secret = self._tables.secrets.issue(
            "link", by, role, self._tables.clock() + timedelta(hours=hours), prefix="l_"
        )
        self._tables.log.append(actor=by, action="access.link_create", target=link_id, role=role)
        return secret

    def is_good(self, secret: str) -> bool:
        """Whether a link would sign in; looking does not spend it."""
        return self._tables.secrets.find("link", secret) is not None

    def use(self, secret: str, *, hours: float) -> str:
        """The secret of a session; the link is spent. Raises NotSignedIn."""
        found = self._tables.secrets.find("link", secret)
        if found is None or not self._tables.secrets.end("link", found.id):
            self._sessions.refuse(None, "link")
        return self._sessions.begin(f"link:{found.id}", found.role, hours=hours, how="link")


class Tokens:
    """Bearer tokens of a home."""

    def __init__(self, tables: AccessTables) -> None:
        self._tables = tables

    def create(self, role: Role, *, days: float, by: str) -> tuple[Token, str]:
        """A bearer token and its secret, which is shown once."""
        expires_at = self._tables.clock() + timedelta(days=days)
        token_id, secret = self._tables.secrets.issue("token", by, role, expires_at, prefix="t_")
        self._tables.log.append(actor=by, action="access.token_create", target=token_id, role=role)
        return Token(token_id, role, expires_at), secret

    def living(self) -> list[Token]:
        """Live tokens, the next to expire first."""
        return [Token(t.id, t.role, t.expires_at) for t in self._tables.secrets.living("token")]

    def revoke(self, token_id: str, *, by: str) -> None:
        """End a token; raises AccountProblem when there is none."""
        if not self._tables.secrets.end("token", token_id):
            raise AccountProblem("there is no such token: see `access token list`.")
        self._tables.log.append(actor=by, action="access.token_revoke", target=token_id)

    def holder(self, secret: str) -> Principal | None:
        """Who a bearer token stands for."""
        found = self._tables.secrets.find("token", secret)
        return Principal(f"token:{found.id}", frozenset({found.role})) if found else None
