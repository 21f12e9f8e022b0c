"""`privacy landed`: what the leak scan of landed files found, and an officer's decision to go on.

Here: arguments, printing, the audit entry. Not here: the scan (`dagster_project/leaks/landed_scan`) and
masking (`landed_masking`). A finding stops every build until somebody has looked: a leak is closed at its
source and masked where it landed; a false alarm is accepted.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tta_monitor.console.context import out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import acting
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from ingestion.settings import Settings
    from privacy.keys.key_store import KeyStore

commands = group()


@commands.command("landed")
def landed(
    accept: Annotated[bool, typer.Option("--accept", help="Let the build read them.")] = False,
    mask: Annotated[
        bool, typer.Option("--mask", help="Rewrite them without what was found.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; scrubbed, then kept in the audit log.")] = "",
) -> None:
    """Look at landed files that no build has read, by kind of leak. Exit code 1: found.

    Example: ./tta.sh monitor privacy landed --accept --reason "host names, not people"
    """
    if accept and mask:
        raise Problem("choose --accept for a false alarm or --mask for a leak.", code=2)
    if (accept or mask) and not reason.strip():
        word = "let through" if accept else "masked"
        raise Problem(f"this needs --reason: the audit log keeps why it was {word}.")
    from dagster_project.leaks.landed_scan import accept_landed, scan_landed
    from dagster_project.marts.warehouse import writer_lock
    from ingestion.contracts import LANDED
    from privacy.audit.audit_log import AuditLog
    from privacy.keys.key_store import KeyStore

    chosen = settings()
    keys = KeyStore.open(chosen.home)

    with writer_lock(chosen):
        looked = [scan_landed(chosen, keys, signal) for signal in LANDED]
        rows: list[list[object]] = [
            [each.signal, kind, count]
            for each in looked
            for kind, count in sorted(each.found.items())
        ]
        print_table(["signal", "kind", "count"], rows)
        if rows and mask:
            _mask(chosen, keys, reason)
            return
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


def _mask(chosen: "Settings", keys: "KeyStore", reason: str) -> None:
    """Mask, prove and record; the caller holds the writer's lock."""
    from dagster_project.leaks.masking import CannotVouch, mask_landed
    from privacy.audit.audit_log import AuditLog
    from privacy.retention import receipts

    now = datetime.now(UTC).replace(tzinfo=None)
    log = AuditLog(chosen.home, keys)
    try:
        about = {"actor": acting(), "action": "privacy.mask_landed", "target": "lake"}
        with log.around(CannotVouch, **about, reason=reason):
            done, receipt = mask_landed(chosen, keys, now)
        receipts.tell(chosen.home, keys, log, by=acting(), now=now)
    except CannotVouch as problem:
        raise Problem(f"{problem}: nothing was masked. Run `privacy scan` and report it.") from None
    finally:
        log.close()
    out.print(
        f"{done.texts} texts in {receipt.rows} rows of {done.files} files, {done.batches} spool batches and "
        f"{done.error_groups} error groups masked; still found: {done.proof}"
    )
    if done.proof or receipt.proof_files:
        raise Problem("something is left: run the command again, and report it if it stays.")
    out.print("the next build reads them; `privacy scan` looks at everything else")
