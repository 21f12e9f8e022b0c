"""`./tta.sh monitor …` and `tta-monitor …`: every command of the product, loaded when it is asked for.

Here: which module has which command, and what becomes of an error. Not here: the commands
(`tta_monitor/commands`).
"""

import os
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from privacy.process_log.log import guard
from tta_monitor.console.context import Chosen, err
from tta_monitor.console.groups import group
from tta_monitor.console.permission import guard_commands
from tta_monitor.console.problems import Problem

_HELP = "TTA Monitor: the observability warehouse of TTA."
_ALONE = {
    "processes": ("up", "down", "status", "doctor"),
    "warehouse": ("replay", "build", "query"),
}
"""Modules whose commands stand for themselves, and those."""
_GROUPS = {
    "privacy": (
        "Detection, erasure, audit and leak scans.",
        ("privacy_books", "privacy_erase", "privacy_landed", "privacy_scan", "redact", "site_policy"),
    ),
    "retention": ("What expires when.", ("retention",)),
    "access": ("Accounts, roles and break-glass.", ("access",)),
    "keys": ("The key-encryption key and its data keys.", ("keys",)),
    "alerts": ("Alerts, silences and rules.", ("alert_rules", "alerts_life")),
    "errors": ("Error groups.", ("errors",)),
    "report": ("Reports: daily, weekly, monthly.", ("report",)),
}  # fmt: skip
"""Groups: what they are about, and the modules whose commands belong to them."""
_MODULES = {name: module for module, names in _ALONE.items() for name in names}


class _OnDemand(TyperGroup):
    """Every command by its name; a command's module is imported when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, commands that stand for themselves first."""
        return [*_MODULES, *_GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command or group; None when there is none of this name."""
        if cmd_name in _GROUPS:
            members = typer.main.get_group(_members(cmd_name))
            members.name = cmd_name
            return members
        if cmd_name in _MODULES:
            return typer.main.get_group(_alone(_MODULES[cmd_name])).commands[cmd_name]
        return None


def common(
    home: Annotated[
        Path | None, typer.Option(help="Data home (default: TTA_MONITOR_HOME, else ./var).")
    ] = None,
) -> None:
    """TTA Monitor: the observability warehouse of TTA."""
    Chosen.home = home


@cache
def _alone(module: str) -> typer.Typer:
    """The commands of a module that stand for themselves, each behind the check of the policy."""
    commands: typer.Typer = import_module(f"tta_monitor.commands.{module}").commands
    guard_commands(commands)
    return commands


@cache
def _members(name: str) -> typer.Typer:
    """A group with the commands of all its modules, each behind the check of the policy."""
    text, modules = _GROUPS[name]
    whole = group(text)
    for module in modules:
        commands: typer.Typer = import_module(f"tta_monitor.commands.{module}").commands
        whole.registered_commands += commands.registered_commands
        whole.registered_groups += commands.registered_groups
        whole.registered_callback = commands.registered_callback or whole.registered_callback
    guard_commands(whole, (name,))
    return whole


@cache
def _everything() -> typer.Typer:
    """Every command, loaded."""
    whole = group(_HELP)
    whole.callback()(common)
    for module in _ALONE:
        whole.registered_commands += _alone(module).registered_commands
    for name in _GROUPS:
        whole.add_typer(_members(name), name=name)
    return whole


def __getattr__(name: str) -> Any:
    """`app`: the whole command line, for whoever mounts or tests it."""
    if name == "app":
        return _everything()
    raise AttributeError(name)


def main() -> None:
    """Entry point: a Problem becomes one sentence and an exit code, never a traceback."""
    guard()
    # Looking for plugins reads the entry points of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    try:
        on_demand = group(_HELP)
        on_demand.callback(cls=_OnDemand)(common)
        on_demand()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        err.print(error, mark="error:", colour="red")
        sys.exit(code)


def _exit_code(error: Exception) -> int | None:
    """The code for an error that says what to do; None for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error.code
    from ingestion.settings.sources import SettingsProblem
    from privacy.disk.sqlite_databases import DatabaseProblem
    from privacy.keys.key_store import KeyProblem

    return 2 if isinstance(error, SettingsProblem | KeyProblem | DatabaseProblem) else None
