"""`./tta.sh monitor privacy verify` and `budget`: the two books that nobody may change, checked and told.

Here: arguments and printing, for the audit log and for the release ledger. Not here: the books
(`privacy/audit`, `privacy/release`), releasing (run by Dagster).
"""

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tta_monitor.console.context import err, out, print_table, settings
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


@commands.command("budget")
def budget(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the privacy budget per person and 28 days, after checking the release ledger.

    Example: ./tta.sh monitor privacy budget --json
    """
    from privacy.keys.key_store import KeyStore, utc_today
    from privacy.release import LedgerProblem, ReleaseLedger, statement

    chosen = settings()
    ledger = ReleaseLedger(chosen.home, KeyStore.open(chosen.home))
    try:
        count = ledger.verify()
        found = statement(ledger.entries(), chosen.release.epsilon_per_28_days, utc_today())
    except LedgerProblem as error:
        raise Problem(str(error)) from error
    if as_json:
        lines = {**asdict(found), "text": found.text, "ledger_entries": count}
        print(json.dumps(lines, default=str))
        return
    out.print(found.text)
    if found.marts:
        out.print()
        print_table(
            ["mart", "mechanism", "per", "epsilon each", "in 28 days", "epsilon", "ever"],
            [list(asdict(line).values()) for line in found.marts],
        )
    out.print(f"ledger: {count} releases, each as it was written")
