"""`./tta.sh monitor privacy budget`: what published engagement figures cost each person.

Here: arguments and printing. Not here: releasing (`privacy/release`, run by Dagster).
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from tta_monitor.console.context import out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.problems import Problem

commands = group()


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
