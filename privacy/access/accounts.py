"""Who somebody is: local accounts, sessions, tokens, sign-in links, break-glass.

Here: recognising people and programs, with hashes only, throttled and audited. Not here: what they
may do (`access`) and the secrets of sessions, tokens and links (`bearer`). Names are sealed; a keyed
digest finds them. Passwords are Argon2id hashes. There is no default password: the first `up` prints a
link that works once.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from privacy.access import passwords
from privacy.access.bearer import BearerSecrets
from privacy.access.claims import Recognised
from privacy.access.policy import Principal, Role
from privacy.audit.audit_log import AuditLog
from privacy.disk.databases import transaction
from privacy.keys.state import Sealer, connect
from privacy.keys.store import KeyStore

_FREE_ATTEMPTS = 5
_MAX_WAIT_S = 900


class AccountProblem(Exception):
    """Something about an account cannot be done; the message names the fix."""


class NotSignedIn(Exception):
    """The credentials are not good; the message never says which part."""


@dataclass(frozen=True)
class User:
    """A local account."""

    id: str
    name: str
    role: Role
    is_disabled: bool


@dataclass(frozen=True)
class Token:
    """A bearer token without its secret."""

    id: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in."""

    id: str
    who: Principal
    expires_at: datetime
    break_glass_until: datetime | None = None


class Accounts:
    """Accounts of one data home; safe across processes."""

    def __init__(
        self,
        home: Path,
        keys: KeyStore,
        log: AuditLog,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._db = connect(home)
        self._sealer = Sealer(keys, "access")
        self._secrets = BearerSecrets(self._db, self._sealer, clock)
        self._name_secret = keys.named_key("access.names").secret
        self._log = log
        self._clock = clock

    # Accounts

    def add(self, name: str, password: str, role: Role, *, by: str) -> User:
        """A new account; raises AccountProblem for a taken name or a weak password."""
        _check(password, name)
        if not name.strip() or len(name) > 100:
            raise AccountProblem("a user name has 1 to 100 characters.")
        user_id = f"user:u_{secrets.token_hex(6)}"
        record = {
            "name": name,
            "role": role,
            "hash": passwords.hasher().hash(password),
            "off": False,
        }
        with transaction(self._db):
            if self._row(name):
                raise AccountProblem("this user name is taken: choose another one.")
            self._db.execute(
                "INSERT INTO access_users (id, name_key, sealed) VALUES (?, ?, ?)",
                (user_id, self._key(name), self._sealer.seal(user_id, record)),
            )
        self._log.append(actor=by, action="access.user_add", target=user_id, role=role)
        return User(user_id, name, role, is_disabled=False)

    def users(self) -> list[User]:
        """All accounts by name."""
        rows = self._db.execute("SELECT id, sealed FROM access_users").fetchall()
        return sorted((self._user(*row) for row in rows), key=lambda user: user.name)

    def change(
        self,
        name: str,
        *,
        by: str,
        role: Role | None = None,
        password: str | None = None,
        is_disabled: bool | None = None,
    ) -> User:
        """Change an account and end its sessions; raises AccountProblem when there is none."""
        if password is not None:
            _check(password, name)
        with transaction(self._db):
            row = self._row(name)
            if row is None:
                raise AccountProblem("there is no such user: see `access user list`.")
            record = self._sealer.open(*row)
            record["role"] = role or record["role"]
            record["off"] = record["off"] if is_disabled is None else is_disabled
            if password is not None:
                record["hash"] = passwords.hasher().hash(password)
            self._db.execute(
                "UPDATE access_users SET sealed = ? WHERE id = ?",
                (self._sealer.seal(row[0], record), row[0]),
            )
            self._secrets.end_sessions_of(row[0])
        self._log.append(
            actor=by,
            action="access.user_change",
            target=row[0],
            role=role,
            is_disabled=is_disabled,
            is_password_changed=password is not None,
        )
        return self._user(row[0], self._sealer.seal(row[0], record))

    # Signing in

    def sign_in(self, name: str, password: str, *, hours: float) -> str:
        """The secret of a new session; raises NotSignedIn. Takes as long for unknown names."""
        row = self._row(name)
        if not self._may_try(name):
            self._refuse(row, "throttled")
        record = self._sealer.open(*row) if row else None
        is_good = passwords.is_password(
            record["hash"] if record else passwords.unknown_hash(), password
        )
        if record is None or row is None or not is_good or record["off"]:
            self._count_failure(name)
            self._refuse(row, "wrong")
        self._db.execute("DELETE FROM access_attempts WHERE name_key = ?", (self._key(name),))
        return self.open_session(row[0], Role(record["role"]), hours=hours, how="password")

    def sign_in_recognised(self, issuer: str, known: Recognised, *, hours: float) -> str:
        """The secret of a session for somebody a provider vouches for; it ends with the token."""
        who = f"{issuer}\n{known.subject}".encode()
        digest = hashlib.blake2b(who, key=self._name_secret, digest_size=6).hexdigest()
        return self.open_session(
            f"oidc:o_{digest}", known.role, hours=hours, how="provider", until=known.expires_at
        )

    def refuse_provider(self, why: str) -> None:
        """The entry of somebody whom a provider sent and who is not let in."""
        self._log.append(
            actor="unknown", action="access.sign_in", outcome="refused", how="provider", why=why
        )

    def open_session(
        self, owner: str, role: Role, *, hours: float, how: str, until: datetime | None = None
    ) -> str:
        """The secret of a new session for somebody who was recognised, until a moment at the latest."""
        ends_at = self._clock() + timedelta(hours=hours)
        self._end_expired()
        _, secret = self._secrets.issue("session", owner, role, min(ends_at, until or ends_at))
        self._log.append(actor=owner, action="access.sign_in", how=how, role=role)
        return secret

    def session(self, secret: str) -> Session | None:
        """Whose session this is, with roles lent by break-glass; None when it is over."""
        found = self._secrets.find("session", secret)
        if found is None:
            self._end_expired()
            return None
        lent = self._lent(found.owner)
        roles = frozenset({found.role, *(r for r, _ in lent)})
        until = max((at for _, at in lent), default=None)
        return Session(found.id, Principal(found.owner, roles), found.expires_at, until)

    def sign_out(self, secret: str) -> None:
        """End a session."""
        found = self._secrets.find("session", secret)
        if found and self._secrets.end("session", found.id):
            self._log.append(actor=found.owner, action="access.sign_out")

    def _end_expired(self) -> None:
        """Forget what is past its end; each session that was not signed out of leaves an entry."""
        for ended in self._secrets.remove_expired():
            if ended.kind == "session":
                self._log.append(
                    actor=ended.owner,
                    action="access.session_end",
                    why="expired",
                    expired_at=ended.expires_at.astimezone(UTC).isoformat(),
                )

    # Links, tokens, break-glass

    def first_link(self) -> str | None:
        """The secret of the first admin link, the first time that anybody asks; else None."""
        if self.users() or self._log.entries(action="access.link_create", limit=1):
            return None
        return self.link(Role.ADMIN, hours=24, by="service:up")

    def link(self, role: Role, *, hours: float, by: str) -> str:
        """The secret of a link that signs in once."""
        link_id, secret = self._secrets.issue(
            "link", by, role, self._clock() + timedelta(hours=hours), prefix="l_"
        )
        self._log.append(actor=by, action="access.link_create", target=link_id, role=role)
        return secret

    def is_good_link(self, secret: str) -> bool:
        """Whether a link would sign in; looking does not spend it."""
        return self._secrets.find("link", secret) is not None

    def use_link(self, secret: str, *, hours: float) -> str:
        """The secret of a session; the link is spent. Raises NotSignedIn."""
        found = self._secrets.find("link", secret)
        if found is None or not self._secrets.end("link", found.id):
            self._refuse(None, "link")
        return self.open_session(f"link:{found.id}", found.role, hours=hours, how="link")

    def create_token(self, role: Role, *, days: float, by: str) -> tuple[Token, str]:
        """A bearer token and its secret, which is shown once."""
        expires_at = self._clock() + timedelta(days=days)
        token_id, secret = self._secrets.issue("token", by, role, expires_at, prefix="t_")
        self._log.append(actor=by, action="access.token_create", target=token_id, role=role)
        return Token(token_id, role, expires_at), secret

    def tokens(self) -> list[Token]:
        """Live tokens, the next to expire first."""
        return [Token(t.id, t.role, t.expires_at) for t in self._secrets.living("token")]

    def revoke_token(self, token_id: str, *, by: str) -> None:
        """End a token; raises AccountProblem when there is none."""
        if not self._secrets.end("token", token_id):
            raise AccountProblem("there is no such token: see `access token list`.")
        self._log.append(actor=by, action="access.token_revoke", target=token_id)

    def token(self, secret: str) -> Principal | None:
        """Who a bearer token stands for."""
        found = self._secrets.find("token", secret)
        return Principal(f"token:{found.id}", frozenset({found.role})) if found else None

    def break_glass(
        self, owner: str, role: Role, *, reason: str, minutes: float, by: str
    ) -> datetime:
        """Lend a role to somebody until a moment; the reason is scrubbed into the audit log."""
        if not reason.strip():
            raise AccountProblem("break-glass needs a reason.")
        if not 1 <= minutes <= 480:
            raise AccountProblem("break-glass lasts 1 to 480 minutes.")
        until = self._clock() + timedelta(minutes=minutes)
        grant_id = f"g_{secrets.token_hex(6)}"
        self._log.append(
            actor=by,
            action="access.break_glass",
            target=owner,
            role=role,
            reason=reason,
            expires_at=until.astimezone(UTC).isoformat(),
        )
        record = {"owner": owner, "role": role, "expires_at": until.isoformat()}
        self._db.execute(
            "INSERT INTO access_grants (id, owner, sealed) VALUES (?, ?, ?)",
            (grant_id, owner, self._sealer.seal(grant_id, record)),
        )
        return until

    def find(self, name: str) -> User | None:
        """The account of a name."""
        row = self._row(name)
        return self._user(*row) if row else None

    def holder(self, name: str) -> str | None:
        """The id of an account by its name, or of somebody signed in by a provider by that id."""
        user = self.find(name)
        if user:
            return user.id
        signed_in = {s.owner for s in self._secrets.living("session")}
        return name if name.startswith("oidc:") and name in signed_in else None

    # Inside

    def _lent(self, owner: str) -> list[tuple[Role, datetime]]:
        """Roles lent to somebody now, with their ends; what ended is deleted."""
        lent: list[tuple[Role, datetime]] = []
        rows = self._db.execute(
            "SELECT id, sealed FROM access_grants WHERE owner = ?", (owner,)
        ).fetchall()
        for grant_id, sealed in rows:
            record = self._sealer.open(grant_id, sealed)
            until = datetime.fromisoformat(record["expires_at"])
            if until <= self._clock():
                self._db.execute("DELETE FROM access_grants WHERE id = ?", (grant_id,))
            elif record["owner"] == owner:
                lent.append((Role(record["role"]), until))
        return lent

    def _row(self, name: str) -> tuple[str, bytes] | None:
        sql = "SELECT id, sealed FROM access_users WHERE name_key = ?"
        return self._db.execute(sql, (self._key(name),)).fetchone()

    def _user(self, user_id: str, sealed: bytes) -> User:
        record = self._sealer.open(user_id, sealed)
        return User(user_id, record["name"], Role(record["role"]), record["off"])

    def _key(self, name: str) -> bytes:
        text = name.strip().casefold().encode()
        return hashlib.blake2b(text, key=self._name_secret, digest_size=16).digest()

    def _may_try(self, name: str) -> bool:
        row = self._db.execute(
            "SELECT until FROM access_attempts WHERE name_key = ?", (self._key(name),)
        ).fetchone()
        return row is None or row[0] <= self._clock().isoformat()

    def _count_failure(self, name: str) -> None:
        with transaction(self._db):
            row = self._db.execute(
                "SELECT failed FROM access_attempts WHERE name_key = ?", (self._key(name),)
            ).fetchone()
            failed = (row[0] if row else 0) + 1
            wait_s = min(2 ** max(failed - _FREE_ATTEMPTS, 0), _MAX_WAIT_S)
            wait_s = wait_s if failed >= _FREE_ATTEMPTS else 0
            until = (self._clock() + timedelta(seconds=wait_s)).isoformat()
            self._db.execute(
                "INSERT OR REPLACE INTO access_attempts (name_key, failed, until) VALUES (?, ?, ?)",
                (self._key(name), failed, until),
            )

    def _refuse(self, row: Any, why: str) -> NoReturn:
        actor = row[0] if row else "unknown"
        self._log.append(actor=actor, action="access.sign_in", outcome="refused", why=why)
        raise NotSignedIn(
            "name or password is wrong, or there were too many attempts: wait a minute."
        )


def _check(password: str, name: str) -> None:
    try:
        passwords.check_password(password, name)
    except passwords.WeakPassword as problem:
        raise AccountProblem(str(problem)) from None
