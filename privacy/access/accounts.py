"""Local accounts: a name, a role, a password of which only a hash is kept.

Here: adding, changing and finding them. Not here: signing in (`sessions`), what a role may do (`policy`).
Names are sealed; a keyed digest finds them. Passwords are Argon2id hashes. There is no default password:
the first `up` prints a link that works once.
"""

import secrets
from dataclasses import dataclass

from privacy.access import passwords
from privacy.access.access_tables import AccessTables
from privacy.access.roles import Role
from privacy.disk.sqlite_databases import transaction


class AccountProblem(Exception):
    """Something about an account cannot be done; the message names the fix."""


@dataclass(frozen=True)
class User:
    """A local account."""

    id: str
    name: str
    role: Role
    is_disabled: bool


class Accounts:
    """The accounts of a home."""

    def __init__(self, tables: AccessTables) -> None:
        self._tables = tables

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
        with transaction(self._tables.db):
            if self.stored(name):
                raise AccountProblem("this user name is taken: choose another one.")
            self._tables.db.execute(
                "INSERT INTO access_users (id, name_key, sealed) VALUES (?, ?, ?)",
                (user_id, self._tables.name_key(name), self._tables.sealer.seal(user_id, record)),
            )
        self._tables.log.append(actor=by, action="access.user_add", target=user_id, role=role)
        return User(user_id, name, role, is_disabled=False)

    def users(self) -> list[User]:
        """All accounts by name."""
        rows = self._tables.db.execute("SELECT id, sealed FROM access_users").fetchall()
        return sorted((self._opened(*row) for row in rows), key=lambda user: user.name)

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
        with transaction(self._tables.db):
            row = self.stored(name)
            if row is None:
                raise AccountProblem("there is no such user: see `access user list`.")
            record = self._tables.sealer.open(*row)
            record["role"] = role or record["role"]
            record["off"] = record["off"] if is_disabled is None else is_disabled
            if password is not None:
                record["hash"] = passwords.hasher().hash(password)
            self._tables.db.execute(
                "UPDATE access_users SET sealed = ? WHERE id = ?",
                (self._tables.sealer.seal(row[0], record), row[0]),
            )
            self._tables.secrets.end_sessions_of(row[0])
        self._tables.log.append(
            actor=by,
            action="access.user_change",
            target=row[0],
            role=role,
            is_disabled=is_disabled,
            is_password_changed=password is not None,
        )
        return self._opened(row[0], self._tables.sealer.seal(row[0], record))

    def find(self, name: str) -> User | None:
        """The account of a name."""
        row = self.stored(name)
        return self._opened(*row) if row else None

    def stored(self, name: str) -> tuple[str, bytes] | None:
        """Id and sealed record of the account of a name."""
        sql = "SELECT id, sealed FROM access_users WHERE name_key = ?"
        return self._tables.db.execute(sql, (self._tables.name_key(name),)).fetchone()

    def _opened(self, user_id: str, sealed: bytes) -> User:
        record = self._tables.sealer.open(user_id, sealed)
        return User(user_id, record["name"], Role(record["role"]), record["off"])


def _check(password: str, name: str) -> None:
    try:
        passwords.check_password(password, name)
    except passwords.WeakPassword as problem:
        raise AccountProblem(str(problem)) from None
