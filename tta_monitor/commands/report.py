"""`./tta.sh monitor report …`: making reports, which there are, what one says.

Here: arguments, printing, exit codes, the audit entry. Not here: making (`dagster_project/reporting`).
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from privacy.access.roles import Right
from tta_monitor.console.context import err, out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import acting, may, noted, require
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from dagster_project.reporting.keeping import Entry
    from ingestion.settings import Settings

commands = group()


@commands.command("run")
def run(
    kind: Annotated[str, typer.Argument(help="Which report; `report list` names them.")],
    period: Annotated[
        str, typer.Option(help="2026-11-29, 2026-W48 or 2026-11; the newest that is over without.")
    ] = "",
) -> None:
    """Make a report as PDF, CSV, JSON and HTML; the same data make the same edition.

    Example: ./tta.sh monitor report run daily-operations --period 2026-11-29
    """
    from dagster_project.reporting import keeping, making
    from dagster_project.reporting.kinds import kind_named
    from privacy.keys.key_store import KeyStore

    chosen, now = settings(), datetime.now(UTC)
    try:
        wanted = kind_named(kind)
        require(Right.AUDIENCE, wanted.audience)
        due = making.Due(wanted, making.period_of(chosen, wanted, period, now))
        about = {"action": "report.make", "target": wanted.name, "period": due.period.label}
        with noted(chosen.home, *making.REFUSALS, **about):
            made = making.make(chosen, KeyStore.open(chosen.home), due, by=acting(), now=now)
    except making.WRONG as problem:
        raise Problem(str(problem), code=2) from None
    except making.REFUSALS as problem:
        raise Problem(str(problem)) from None
    _tell(chosen, made)
    if made.outcome == "same":
        out.print("This edition was there already.")
    for told in made.delivered:
        out.print(told)
    err.print(f"{keeping.file_of(chosen, made, 'pdf')}, and as csv, json and html")


@commands.command("list")
def list_reports(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Which reports there are, and what has been made of them, the newest first.

    Example: ./tta.sh monitor report list
    """
    from dagster_project.reporting import keeping
    from dagster_project.reporting.kinds import kinds

    chosen = settings()
    known = [k for k in kinds().values() if may(Right.AUDIENCE, k.audience)]
    made = [e for e in keeping.history(chosen) if any(k.name == e.kind for k in known)]
    if as_json:
        every = [{"name": k.name, "cadence": k.cadence.value, "about": k.about} for k in known]
        print(json.dumps({"kinds": every, "made": [asdict(e) for e in made]}, default=str))
        return
    print_table(["report", "made", "about"], [[k.name, k.cadence.value, k.about] for k in known])
    out.print()
    if not made:
        out.print(
            "None has been made yet: `./tta.sh monitor report run daily-operations` makes one."
        )
        return
    print_table(
        ["made at", "report", "period", "outcome", "edition", "says"],
        [[e.at.replace(tzinfo=None), e.kind, e.period, e.outcome, e.edition or None,
          e.verdict or e.reason] for e in made[:50]],
    )  # fmt: skip


@commands.command("show")
def show(
    name: Annotated[str, typer.Argument(help="An edition, or a report for its newest one.")],
    format: Annotated[str, typer.Option(help="text, or json, csv or html as they are.")] = "text",
) -> None:
    """What a report says: its verdict and its five numbers, or a format whole.

    Example: ./tta.sh monitor report show daily-operations --format csv
    """
    if format not in {"text", "json", "csv", "html"}:
        raise Problem("--format must be text, json, csv or html.", code=2)
    from dagster_project.reporting import keeping

    chosen = settings()
    entry = next(
        (e for e in keeping.history(chosen) if _is_meant(e, name) and keeping.is_kept(chosen, e)),
        None,
    )
    if entry is None:
        raise Problem(
            "there is no such report: `./tta.sh monitor report list` names those that there are.",
            code=2,
        )
    require(Right.AUDIENCE, entry.audience)
    if format == "text":
        _tell(chosen, entry)
    else:
        print(keeping.file_of(chosen, entry, format).read_text(encoding="utf-8"), end="")


def _is_meant(entry: "Entry", name: str) -> bool:
    is_edition = len(name) >= 4 and entry.edition.startswith(name)
    return bool(entry.edition) and (entry.kind == name or is_edition)


def _tell(chosen: "Settings", entry: "Entry") -> None:
    """Verdict and figures of an edition."""
    from dagster_project.reporting import keeping
    from dagster_project.reporting.rendering.json_text import from_json

    document = from_json(keeping.file_of(chosen, entry, "json").read_bytes())
    out.print(f"{document.title}, {document.period.words}: {document.verdict}")
    out.print()
    print_table(
        ["figure", "value", "change"],
        [[f.name, f.words, f.change_words or None] for f in document.figures],
    )
    out.print()
    out.print(f"edition {document.edition}, data as of {document.as_of:%Y-%m-%d %H:%M} UTC")
