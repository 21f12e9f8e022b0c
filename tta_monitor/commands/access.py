"""`access …`: identities, tokens, sign-in links and break-glass.

Whoever can run these for a data home can read its `keys/` (`permission`). Passwords come
from a prompt or standard input, never from an argument that other users could see.
"""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from privacy.access.roles import Role
from tta_monitor.console.context import err, out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import acting
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from privacy.access.identities import Identities

commands = group()

_user = group("Local accounts.")
_token = group("Bearer tokens.")
commands.add_typer(_user, name="user")
commands.add_typer(_token, name="token")
RoleOption = Annotated[Role, typer.Option(help="What the holder may do.")]
NameArgument = Annotated[str, typer.Argument(help="User name.")]


@contextmanager
def opened() -> "Iterator[Identities]":
    """Everybody the chosen home knows; an AccountProblem becomes a Problem."""
    from privacy.access.accounts import AccountProblem
    from privacy.access.identities import Identities
    from privacy.audit.audit_log import AuditLog
    from privacy.keys.key_store import KeyStore

    home = settings().home
    keys = KeyStore.open(home)
    log = AuditLog(home, keys)
    try:
        yield Identities(home, keys, log)
    except AccountProblem as problem:
        raise Problem(str(problem), code=1) from None
    finally:
        log.close()


@_user.command("add")
def add(name: NameArgument, role: RoleOption) -> None:
    """Add an account; asks for the password, or reads one line of standard input.

    Example: ./tta.sh monitor access user add ada --role operator
    """
    with opened() as identities:
        user = identities.accounts.add(name, _password(), role, by=acting())
    out.print(f"added {user.id} as {user.role}")


@_user.command("list")
def users() -> None:
    """List accounts.

    Example: ./tta.sh monitor access user list
    """
    with opened() as identities:
        rows: list[list[object]] = [
            [u.name, u.role.value, "disabled" if u.is_disabled else "active", u.id]
            for u in identities.accounts.users()
        ]
    print_table(["name", "role", "state", "id"], rows)


@_user.command("disable")
def disable(
    name: NameArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Enable it again.")] = False,
) -> None:
    """Disable an account and end its sessions.

    Example: ./tta.sh monitor access user disable ada
    """
    with opened() as identities:
        identities.accounts.change(name, by=acting(), is_disabled=not undo)
    out.print("enabled" if undo else "disabled")


@_user.command("role")
def role(name: NameArgument, role: RoleOption) -> None:
    """Give an account another role and end its sessions.

    Example: ./tta.sh monitor access user role ada --role privacy_officer
    """
    with opened() as identities:
        identities.accounts.change(name, by=acting(), role=role)
    out.print(f"role is {role}")


@_user.command("password")
def password(name: NameArgument) -> None:
    """Set a password and end the account's sessions.

    Example: ./tta.sh monitor access user password ada
    """
    with opened() as identities:
        identities.accounts.change(name, by=acting(), password=_password())
    out.print("password is set")


@_token.command("create")
def create_token(
    role: RoleOption,
    expires: Annotated[float, typer.Option(help="Days.", min=0.01, max=366)] = 30,
) -> None:
    """Create a bearer token for the live API; it is shown once.

    Example: ./tta.sh monitor access token create --role operator --expires 7
    """
    with opened() as identities:
        token, secret = identities.tokens.create(role, days=expires, by=acting())
    err.print(f"{token.id} as {token.role} until {token.expires_at:%Y-%m-%d %H:%M} UTC")
    print(secret)


@_token.command("list")
def tokens() -> None:
    """List live tokens, without their secrets.

    Example: ./tta.sh monitor access token list
    """
    with opened() as identities:
        rows: list[list[object]] = [
            [t.id, t.role.value, f"{t.expires_at:%Y-%m-%d %H:%M} UTC"]
            for t in identities.tokens.living()
        ]
    print_table(["id", "role", "expires"], rows)


@_token.command("revoke")
def revoke(token_id: Annotated[str, typer.Argument(help="Id from `token list`.")]) -> None:
    """End a token now.

    Example: ./tta.sh monitor access token revoke t_0123456789ab
    """
    with opened() as identities:
        identities.tokens.revoke(token_id, by=acting())
    out.print("revoked")


@commands.command("link")
def link(
    role: RoleOption = Role.ADMIN,
    hours: Annotated[float, typer.Option(help="Hours until it expires.", min=0.1, max=72)] = 1,
) -> None:
    """Print a link that signs in to the app once.

    Example: ./tta.sh monitor access link --role operator
    """
    with opened() as identities:
        secret = identities.links.create(role, hours=hours, by=acting())
    print(f"http://{settings().app.host}:{settings().app.port}/sign-in?link={secret}")


@commands.command("break-glass")
def break_glass(
    name: NameArgument,
    role: RoleOption,
    reason: Annotated[str, typer.Option(help="Why; scrubbed, then kept in the audit log.")],
    minutes: Annotated[float, typer.Option(help="1 to 480.")] = 30,
) -> None:
    """Lend an account a second role for a while; it ends by itself.

    Example: ./tta.sh monitor access break-glass ada --role privacy_officer --reason "incident 12"
    """
    from privacy.access.accounts import AccountProblem

    with opened() as identities:
        holder = identities.sessions.holder(name)
        if holder is None:
            raise AccountProblem(
                "there is no such user: see `access user list`; somebody of an identity provider has an "
                "id, shown on their Account page, and must be signed in."
            )
        until = identities.break_glass.lend(
            holder, role, reason=reason, minutes=minutes, by=acting()
        )
    out.print(f"{holder} has {role} until {until:%H:%M} UTC")


@commands.command("whoami")
def whoami() -> None:
    """Say who the command line is and why.

    Example: ./tta.sh monitor access whoami
    """
    from privacy.keys.key_store import KeyStore

    KeyStore.open(settings().home)
    chosen = settings()
    if chosen.access.token_file is None:
        out.print(f"{acting()}: admin, because this OS user can read the keys of {chosen.home}")
    else:
        out.print(f"{acting()}: the holder of the token in access.token_file")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise Problem("the two passwords differ: try again.", code=1)
    return first
