"""`privacy verify`: whether the audit log is as it was written."""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tta_monitor.console.context import err, out, settings
from tta_monitor.console.groups import group
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from ingestion.settings import Settings
    from privacy.audit.verify import Verification

commands = group()


@commands.command("verify")
def verify(
    heads: Annotated[
        list[Path] | None,
        typer.Option(help="Exported heads, a file or folder (default: the known folders)."),
    ] = None,
) -> None:
    """Check the audit log entry by entry. Exit code 1 names the first broken entry.

    Example: ./tta.sh monitor privacy verify --heads /mnt/worm/audit-heads
    """
    from privacy.audit.verify import HeadProblem
    from privacy.keys.state import FILE

    chosen = settings()
    try:
        found = _verified(chosen, heads)
    except HeadProblem as problem:
        raise Problem(str(problem), code=1) from None
    except sqlite3.DatabaseError:
        raise Problem(
            f"{chosen.home / FILE} cannot be read as a database: restore it from a backup.", code=1
        ) from None
    if found.broken:
        broken = found.broken
        told = f"entry {broken.seq} {broken.how}: {broken.message}"
        err.print(told, mark="broken:", colour="red")
        raise typer.Exit(1)
    out.print(f"intact: {found.entries} entries, {found.heads} exported heads agree")
    if not found.heads:
        err.print("no exported head was compared: a log cut off at its end would not be seen")


def _verified(chosen: "Settings", heads: list[Path] | None) -> "Verification":
    from privacy.audit.audit_log import HEADS, AuditLog
    from privacy.audit.verify import read_heads
    from privacy.audit.verify import verify as verify_log
    from privacy.keys.key_store import KeyStore

    keys = KeyStore.open(chosen.home)
    log = AuditLog(chosen.home, keys)
    known = [chosen.home / HEADS, chosen.audit.heads_path]
    places = heads or [place for place in known if place and place.exists()]
    try:
        return verify_log(log, read_heads(log, places))
    finally:
        log.close()
