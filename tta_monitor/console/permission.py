"""The policy at the command line: who runs it, and whether the role may use the command.

Here: the check around every command. Not here: the policy (`privacy/access/access_policy`). Whoever can
read `keys/` can open everything and is the owner; with `access.token_file` the command line is the token's
holder instead, and where there are no keys the live API alone decides.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from privacy.access.roles import ADMINISTRATOR, Principal, Right
from tta_monitor.console.context import settings, settings_or_defaults
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from privacy.audit.audit_log import Detail
    from privacy.keys.key_store import KeyStore

_EVEN_WITH_WRONG_SETTINGS = frozenset({"status", "doctor"})
"""They say what is wrong with them."""
_MADE = Path("keys", "check")
FORBIDDEN = 3
"""Exit code of a command that the role may not use."""


def guard_commands(app: typer.Typer, words: tuple[str, ...] = ()) -> None:
    """Put the check before every command of an application and of the groups below it."""
    for command in app.registered_commands:
        if command.callback is not None:
            name = command.name or command.callback.__name__.replace("_", "-")
            command.callback = _checked(command.callback, ".".join([*words, name]))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            guard_commands(group.typer_instance, (*words, group.name or ""))


def require(right: Right, name: str) -> None:
    """Raise Problem when whoever runs this may not; the owner may everything."""
    chosen, is_right = settings_or_defaults()
    if not is_right and name not in _EVEN_WITH_WRONG_SETTINGS:
        settings()
    path = chosen.access.token_file
    if path is None:
        return
    from privacy.access.access_policy import Forbidden, Guard
    from privacy.access.identities import Identities
    from privacy.audit.audit_log import AuditLog
    from privacy.keys.key_store import KeyProblem, KeyStore

    try:
        secret, home = path.read_text().strip(), chosen.home
    except OSError as error:
        raise Problem(f"access.token_file cannot be read ({type(error).__name__}).") from None
    try:
        keys = KeyStore.open(home)
    except KeyProblem:
        return  # nothing of this home opens here; the live API asks the policy itself
    log = AuditLog(home, keys)
    try:
        who = Identities(home, keys, log).tokens.holder(secret)
        if who is None:
            raise Problem(
                "the token of access.token_file is unknown or has expired: create one with "
                "`./tta.sh monitor access token create`.",
                code=FORBIDDEN,
            )
        _Caller.who = who
        Guard(log).require(who, right, name)
    except Forbidden as problem:
        raise Problem(str(problem), code=FORBIDDEN) from None
    finally:
        log.close()


def may(right: Right, name: str) -> bool:
    """Whether whoever runs this would be allowed; leaves no entry. `require` has said who it is."""
    from privacy.access.access_policy import load_policy

    if _Caller.who is ADMINISTRATOR:
        return True
    return load_policy().allows(_Caller.who.roles, right, name)


@contextmanager
def noted(
    home: Path, *refusals: type[Exception], action: str, target: str, **about: "Detail"
) -> Iterator[None]:
    """Around what a command changes: one entry of who, what and how it went.

    A home without keys has no log yet; what its live tail finds at its first look is noted then.
    """
    from privacy.audit.audit_log import AuditLog
    from privacy.keys.key_store import KeyStore

    if not (home / _MADE).exists():
        yield
        return
    with (
        closing(AuditLog(home, KeyStore.open(home))) as log,
        log.around(*refusals, actor=acting(), action=action, target=target, **about),
    ):
        yield


def keys_of(home: Path) -> "KeyStore":
    """The keys of a home that a command may begin: making them is an entry."""
    from privacy.keys.key_store import KeyStore

    is_new = not (home / _MADE).exists()
    keys = KeyStore.open(home, create=True)
    if is_new:
        with noted(home, action="keys.create", target="home"):
            pass
    return keys


def acting() -> str:
    """The id under which what a command does is recorded."""
    return _Caller.who.id


class _Caller:
    who: Principal = ADMINISTRATOR


def _checked(callback: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        require(Right.COMMAND, name)
        return callback(*args, **kwargs)

    return run
