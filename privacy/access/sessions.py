"""Sessions: who is signed in, how they came in, and until when.

Here: signing in by password or by a provider's word, throttled and audited; recognising and ending. Not here:
accounts (`accounts`), the secrets themselves (`bearer`), cookies (`streamlit_app/sign_in`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from privacy.access import passwords
from privacy.access.access_tables import AccessTables
from privacy.access.accounts import Accounts
from privacy.access.attempts import Attempts
from privacy.access.break_glass import BreakGlass
from privacy.access.claims import Recognised
from privacy.access.roles import Principal, Role


class NotSignedIn(Exception):
    """The credentials are not good; the message never says which part."""


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in."""

    id: str
    who: Principal
    expires_at: datetime
    break_glass_until: datetime | None = None


class Sessions:
    """The sessions of a home."""

    def __init__(self, tables: AccessTables, accounts: Accounts, break_glass: BreakGlass) -> None:
        self._tables, self._accounts, self._break_glass = tables, accounts, break_glass
        self._attempts = Attempts(tables)

    def sign_in(self, name: str, password: str, *, hours: float) -> str:
        """The secret of a new session; raises NotSignedIn. Takes as long for unknown names."""
        row = self._accounts.stored(name)
        if not self._attempts.may_try(name):
            self.refuse(row, "throttled")
        record = self._tables.sealer.open(*row) if row else None
        is_good = passwords.is_password(
            record["hash"] if record else passwords.unknown_hash(), password
        )
        if record is None or row is None or not is_good or record["off"]:
            self._attempts.count_failure(name)
            self.refuse(row, "wrong")
        self._attempts.forget(name)
        return self.begin(row[0], Role(record["role"]), hours=hours, how="password")

    def sign_in_recognised(self, issuer: str, known: Recognised, *, hours: float) -> str:
        """The secret of a session for somebody a provider vouches for; it ends with the token."""
        who = f"{issuer}\n{known.subject}".encode()
        digest = self._tables.digest(who, size=6).hex()
        return self.begin(
            f"oidc:o_{digest}", known.role, hours=hours, how="provider", until=known.expires_at
        )

    def refuse_provider(self, why: str) -> None:
        """The entry of somebody whom a provider sent and who is not let in."""
        self._tables.log.append(
            actor="unknown", action="access.sign_in", outcome="refused", how="provider", why=why
        )

    def begin(
        self, owner: str, role: Role, *, hours: float, how: str, until: datetime | None = None
    ) -> str:
        """The secret of a new session for somebody who was recognised, until a moment at the latest."""
        ends_at = self._tables.clock() + timedelta(hours=hours)
        self._end_expired()
        _, secret = self._tables.secrets.issue(
            "session", owner, role, min(ends_at, until or ends_at)
        )
        self._tables.log.append(actor=owner, action="access.sign_in", how=how, role=role)
        return secret

    def find(self, secret: str) -> Session | None:
        """Whose session this is, with roles lent by break-glass; None when it is over."""
        found = self._tables.secrets.find("session", secret)
        if found is None:
            self._end_expired()
            return None
        lent = self._break_glass.lent(found.owner)
        roles = frozenset({found.role, *(r for r, _ in lent)})
        until = max((at for _, at in lent), default=None)
        return Session(found.id, Principal(found.owner, roles), found.expires_at, until)

    def sign_out(self, secret: str) -> None:
        """End a session."""
        found = self._tables.secrets.find("session", secret)
        if found and self._tables.secrets.end("session", found.id):
            self._tables.log.append(actor=found.owner, action="access.sign_out")

    def holder(self, name: str) -> str | None:
        """The id of an account by its name, or of somebody signed in by a provider by that id."""
        user = self._accounts.find(name)
        if user:
            return user.id
        signed_in = {s.owner for s in self._tables.secrets.living("session")}
        return name if name.startswith("oidc:") and name in signed_in else None

    def refuse(self, row: tuple[str, bytes] | None, why: str) -> NoReturn:
        """Record that somebody is not let in; raises NotSignedIn."""
        actor = row[0] if row else "unknown"
        self._tables.log.append(actor=actor, action="access.sign_in", outcome="refused", why=why)
        raise NotSignedIn(
            "name or password is wrong, or there were too many attempts: wait a minute."
        )

    def _end_expired(self) -> None:
        """Forget what is past its end; each session that was not signed out of leaves an entry."""
        for ended in self._tables.secrets.remove_expired():
            if ended.kind == "session":
                self._tables.log.append(
                    actor=ended.owner,
                    action="access.session_end",
                    why="expired",
                    expired_at=ended.expires_at.astimezone(UTC).isoformat(),
                )
