"""`./tta.sh monitor privacy scan`: is there a personal byte anywhere.

Here: arguments, printing, exit codes. Not here: the scan (`dagster_project/leaks/home_scan`), keeping
its result (`dagster_project/leaks/runs`).
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tta_monitor.console.context import err, out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import acting
from tta_monitor.console.problems import Problem

commands = group()


@commands.command("scan")
def scan(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    patterns: Annotated[
        Path | None, typer.Option(help="File of further texts to look for, one a line.")
    ] = None,
) -> None:
    """Look for personal data in every stored string and byte. Exit code 1: found, 2: cannot vouch.

    Example: ./tta.sh monitor privacy scan --json
    """
    from dagster_project.leaks import runs as scan_runs
    from privacy.keys.key_store import KeyStore

    chosen = settings()
    keys = KeyStore.open(chosen.home)

    try:
        listed = patterns.read_text(encoding="utf-8").splitlines() if patterns else []
        report = scan_runs.run(chosen, keys, by=acting(), listed=listed)
    except scan_runs.ScanIsRunning as problem:
        raise Problem(str(problem), code=2) from None
    except OSError as error:
        raise Problem(f"{error.filename} cannot be read ({error.strerror}).", code=2) from None
    except ValueError:
        raise Problem(
            f"{patterns} must hold UTF-8 texts of at least four bytes, one a line.", code=2
        ) from None
    if as_json:
        print(json.dumps({**asdict(report), "exit_code": report.exit_code}))
    else:
        print_table(
            ["place", "kind", "count"], [[f.place, f.kind, f.count] for f in report.findings]
        )
        out.print(
            f"{len(report.findings)} findings in {report.texts} stored texts and {report.files} "
            f"files ({report.bytes / 1e6:.0f} MB), {report.duration_s:.0f} s; "
            f"{report.planted} planted leaks looked for"
        )
    for medium in report.blind:
        err.print(f"the scan is blind in {medium}", mark="error:", colour="red")
    for place in report.unread:
        err.print(f"not read: {place}", mark="error:", colour="red")
    raise typer.Exit(report.exit_code)
