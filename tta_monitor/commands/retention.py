"""`./tta.sh monitor retention …`: what would go, and making it go.

Here: arguments and printing. Not here: rules (`privacy/retention`), purging (`ingestion/expiry/plan`).
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tta_monitor.console.context import err, out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import acting
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from ingestion.settings import Settings
    from privacy.retention.retention_policy import Policy

commands = group()


@commands.command("plan")
def plan(
    policy: Annotated[
        Path | None, typer.Option(help="YAML of rules to try, before setting them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what each rule would remove or archive now; removes nothing.

    Example: ./tta.sh monitor retention plan --policy stricter.yaml
    """
    from dagster_project.marts.warehouse import writer_lock
    from dagster_project.retention.marts import count_leaving, past_time
    from ingestion.expiry import plan as expiry
    from privacy.keys.key_store import KeyStore

    chosen = settings()
    keys = KeyStore.open(chosen.home)
    rules, now = _policy(chosen, policy), _now()
    rows: list[dict[str, Any]] = [
        {
            "rule": d.rule,
            "action": d.action,
            "purged_before": d.purged_before.isoformat(timespec="seconds"),
            "partitions": len(d.files),
            "rows": d.rows,
            "bytes": d.bytes,
            "keys": list(d.key_ids),
        }
        for d in expiry.plan(chosen, keys, rules, now)
    ]
    with writer_lock(chosen, err.print):
        marts = count_leaving(chosen, keys, past_time(rules, now))
    for table, count in marts.items():
        row = {
            "rule": table,
            "action": "purge",
            "purged_before": None,
            "partitions": None,
            "rows": count,
        }
        rows.append({**row, "bytes": None, "keys": []})
    if as_json:
        print(json.dumps(rows))
    elif not rows:
        out.print("nothing would go")
    else:
        cells = [[*list(r.values())[:-1], len(r["keys"])] for r in rows]
        print_table(["rule", "action", "before", "partitions", "rows", "bytes", "keys"], cells)


@commands.command("apply")
def apply(
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking again.")] = False,
) -> None:
    """Remove and archive what `retention plan` shows, prove it and keep receipts.

    Example: ./tta.sh monitor retention apply --yes
    """
    if not yes:
        raise Problem(
            "this removes data for good: look at `retention plan`, then add --yes.", code=2
        )
    from dagster_project.marts.warehouse import writer_lock
    from dagster_project.retention.daily import run_pass
    from ingestion.expiry import plan as expiry
    from privacy.keys.key_store import KeyStore

    chosen = settings()
    keys = KeyStore.open(chosen.home)
    policy, now = _policy(chosen, None), _now()
    with writer_lock(chosen, err.print):
        moved = [d for d in expiry.plan(chosen, keys, policy, now) if d.action == "archive"]
        done = run_pass(chosen, keys, policy, now, by=acting())
    for one in moved:
        out.print(f"{one.rule}: {len(one.files)} partitions, {one.rows} rows moved to the archive")
    if not done and not moved:
        out.print("nothing was due")
    for receipt in done:
        size = "bytes not measured" if receipt.bytes is None else f"{receipt.bytes} bytes"
        out.print(
            f"{receipt.rule}: {receipt.partitions} partitions, {receipt.rows} rows, {size}, "
            f"{len(receipt.keys_destroyed)} keys; still found: "
            f"{receipt.proof_rows + receipt.proof_files}"
        )
    raise typer.Exit(int(any(r.proof_rows or r.proof_files for r in done)))


def _policy(chosen: "Settings", file: Path | None) -> "Policy":
    from ingestion.expiry import plan as expiry
    from privacy.retention.retention_policy import RetentionProblem, read_policy

    try:
        return read_policy(file) if file else expiry.policy_of(chosen)
    except RetentionProblem as problem:
        raise Problem(str(problem), code=2) from None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
