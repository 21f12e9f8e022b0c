"""`privacy landed`: what the leak scan of landed files found, and an officer's decision to go on.

Here: arguments, printing, the audit entry. Not here: the scan (`dagster_project/landed_leaks`). A finding
stops every build until somebody has looked: a leak is closed at its source and its rows are erased or
expire; a false alarm is accepted.
"""

from typing import Annotated

import typer

from ingestion.contracts import LANDED
from privacy.audit import AuditLog
from privacy.keys import KeyStore
from tta_monitor.commands import groups
from tta_monitor.commands.context import out, print_table, settings
from tta_monitor.commands.permission import acting
from tta_monitor.problems import Problem


@groups.privacy.command("landed")
def landed(
    accept: Annotated[bool, typer.Option("--accept", help="Let the build read them.")] = False,
    reason: Annotated[str, typer.Option(help="Why; scrubbed, then kept in the audit log.")] = "",
) -> None:
    """Look at landed files that no build has read, by kind of leak. Exit code 1: found.

    Example: ./tta.sh monitor privacy landed --accept --reason "host names, not people"
    """
    if accept and not reason.strip():
        raise Problem("--accept needs --reason: the audit log keeps why a finding was let through.")
    chosen = settings()
    keys = KeyStore.open(chosen.home)
    from dagster_project.landed_leaks import accept_landed, scan_landed  # noqa: PLC0415 - DuckDB
    from dagster_project.warehouse import writer_lock  # noqa: PLC0415

    with writer_lock(chosen):
        looked = [scan_landed(chosen, keys, signal) for signal in LANDED]
        rows: list[list[object]] = [
            [each.signal, kind, count]
            for each in looked
            for kind, count in sorted(each.found.items())
        ]
        print_table(["signal", "kind", "count"], rows)
        if not rows or not accept:
            out.print(f"{len(rows)} findings in {sum(each.files for each in looked)} files")
            raise typer.Exit(1 if rows else 0)
        log = AuditLog(chosen.home, keys)
        for each in looked:
            if each.found:
                log.append(
                    actor=acting(),
                    action="privacy.accept_landed",
                    target=each.signal,
                    files=each.files,
                    findings=sum(each.found.values()),
                    reason=reason,
                )
                accept_landed(chosen, each.signal)
        log.close()
    out.print("accepted: the next build reads them")
