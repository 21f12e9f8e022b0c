"""The policy at the command line: who runs it, and whether the role may use the command.

Here: the check around every command. Not here: the policy (`privacy/access/policy`). Whoever can read `keys/`
can open everything and is the owner; with `access.token_file` the command line is the token's holder
instead, and where there are no keys the live API alone decides.
"""

import functools
from collections.abc import Callable
from typing import Any

import typer

from privacy.access.roles import ADMINISTRATOR, Principal, Right
from tta_monitor.console.context import settings
from tta_monitor.console.problems import Problem

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
    path = settings().access.token_file
    if path is None:
        return
    from privacy.access.accounts import Accounts
    from privacy.access.policy import Forbidden, Guard
    from privacy.audit.audit_log import AuditLog
    from privacy.keys.store import KeyProblem, KeyStore

    try:
        secret, home = path.read_text().strip(), settings().home
    except OSError as error:
        raise Problem(f"access.token_file cannot be read ({type(error).__name__}).") from None
    try:
        keys = KeyStore.open(home)
    except KeyProblem:
        return  # nothing of this home opens here; the live API asks the policy itself
    log = AuditLog(home, keys)
    try:
        who = Accounts(home, keys, log).token(secret)
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
