"""`./tta.sh monitor replay`, `build`, `query`: captured telemetry in, a pass, answers out.

Here: arguments, printing and exit codes. Not here: sending (`tta_monitor/traffic`), the pass
(`dagster_project/process/build`), asking (`tta_monitor/query`).
"""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from privacy.access.roles import Right
from tta_monitor.console.context import err, out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import keys_of, require
from tta_monitor.console.problems import Problem

commands = group()


@commands.command()
def replay(
    path: Annotated[Path, typer.Argument(help="Directory or .tar.xz with otlp/index.jsonl.")],
    rate: Annotated[float | None, typer.Option(help="Bodies per second.", min=0.01)] = None,
    shift_to_now: Annotated[bool, typer.Option(help="Move times so that it ends now.")] = False,
) -> None:
    """Send captured OTLP bodies to the receiver.

    Example: ./tta.sh monitor replay capture.tar.xz --shift-to-now
    """
    from ingestion.doors.own_receiver import OwnDoor
    from tta_monitor.traffic import replay as replays

    chosen = settings()
    captured = replays.read_capture(path)
    if shift_to_now:
        captured = replays.shifted(captured, time.time())
    door = OwnDoor.of(chosen)
    accepted = rejected = 0
    errors: dict[str, int] = {}
    for number, sent in enumerate(replays.send_all(captured, door, rate=rate), start=1):
        accepted, rejected = accepted + sent.accepted, rejected + sent.rejected
        if sent.error:
            errors[sent.error] = errors.get(sent.error, 0) + 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\rsending {number}/{len(captured)}")
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    out.print(f"sent {len(captured)} bodies: {accepted} items accepted, {rejected} rejected")
    for error, count in errors.items():
        err.print(f"{count} bodies: {error}")
    raise typer.Exit(1 if rejected or errors else 0)


@commands.command()
def build() -> None:
    """Run one pass: drain, lake, checks, marts, publish. Exit code 0 only when all checks pass.

    Example: ./tta.sh monitor build
    """
    from dagster_project.marts.unasked import without_unasked
    from dagster_project.process.build import run_build

    chosen = settings()
    without_unasked()
    # It may begin a home in the same moment as `up`.
    keys_of(chosen.home)
    report = run_build(chosen, progress=lambda step: err.print(f"· {step}"))
    out.print(
        f"{'built' if report.ok else 'failed'} in {report.duration_s:.0f} s: {report.landed_rows} rows "
        f"landed, {report.checks_passed} checks passed, {len(report.checks_failed)} failed"
        + (f", {len(report.checks_warned)} warned" if report.checks_warned else "")
    )
    for warned in report.checks_warned:
        err.print(warned, mark="warned:", colour="yellow")
    for failed in (*report.failed_steps, *report.checks_failed):
        err.print(failed, mark="failed:", colour="red")
    raise typer.Exit(0 if report.ok else 1)


@commands.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT over the published marts.")],
    audience: Annotated[str, typer.Option(help="Whose published copy.")] = "operations",
    format: Annotated[str, typer.Option(help="table, json or csv.")] = "table",
) -> None:
    """Ask the published marts, read-only, at most 10,000 rows and 30 s.

    Example: ./tta.sh monitor query "SELECT route, sum(request_count) FROM fct_requests_minutely GROUP BY 1"
    """
    if format not in {"table", "json", "csv"}:
        raise Problem("--format must be table, json or csv.", code=2)
    require(Right.AUDIENCE, audience)
    from tta_monitor import query as queries

    answer = queries.ask(settings(), sql, audience)
    if format == "json":
        print(queries.as_json(answer))
    elif format == "csv":
        print(queries.as_csv(answer), end="")
    else:
        print_table(answer.columns, [list(row) for row in answer.rows])
    if answer.is_cut:
        err.print(f"only the first {queries.MAX_ROWS} rows are shown: add a LIMIT or an aggregate")
