"""`./tta.sh monitor privacy erase`: everything of one person.

Here: arguments and printing. Not here: what is erased (`dagster_project/retention/erasure`). The id is read,
used and forgotten; it stands in no output, log or receipt.
"""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from tta_monitor.console.context import err, out, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import acting
from tta_monitor.console.problems import Problem

commands = group()


@commands.command("erase")
def erase(
    subject: Annotated[
        str,
        typer.Option(help="Player, session or user id as TTA knows it; `-` reads it from stdin."),
    ],
    build: Annotated[bool, typer.Option(help="Rebuild the marts afterwards.")] = True,
) -> None:
    """Remove a person's rows and keys everywhere, prove it and keep a receipt.

    Example: echo "$ID" | ./tta.sh monitor privacy erase --subject -
    """
    given = sys.stdin.readline().strip() if subject == "-" else subject.strip()
    if not given:
        raise Problem(
            "no id was given: --subject ID, or `--subject -` and the id on stdin.", code=2
        )
    from dagster_project.marts.warehouse import writer_lock
    from dagster_project.retention.erasure import erase as erase_everywhere
    from privacy.keys.key_store import KeyStore

    chosen = settings()
    keys = KeyStore.open(chosen.home)
    with writer_lock(chosen, err.print):
        now = datetime.now(UTC).replace(tzinfo=None)
        receipt = erase_everywhere(chosen, keys, given, now, by=acting())
    out.print(
        f"{receipt.rows} rows removed from {receipt.partitions} batches and partitions, "
        f"{'the' if receipt.keys_destroyed else 'no'} player key destroyed; still found: "
        f"{receipt.proof_rows}"
    )
    if receipt.proof_rows:
        raise Problem("rows are left: run the command again, and report it if they stay.")
    if build and receipt.rows:
        from dagster_project.process.build import run_build

        report = run_build(chosen, progress=lambda step: err.print(f"· {step}"))
        out.print("marts rebuilt" if report.ok else "the marts could not be rebuilt: run `build`")
        raise typer.Exit(0 if report.ok else 1)
