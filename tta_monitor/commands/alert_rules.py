"""`alerts test`, `alerts backtest` and `alerts import`: rules before they are trusted.

Here: arguments, printing and exit codes. Not here: what they do (`live_tail/alerts`).
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tta_monitor.console.context import err, out, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import noted
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from live_tail.alerts.trials.backtest import Backtest, Body
    from live_tail.alerts.trials.promtest import Outcome
    from live_tail.alerts.words.rule_records import Rule

commands = group()


@commands.command("test")
def test(files: Annotated[list[Path], typer.Argument(help="Test files, YAML.")]) -> None:
    """Run unit tests of alert rules, in the manner of `promtool test rules`. Exit code 1 on failure.

    Example: ./tta.sh monitor alerts test redis_test.yaml
    """
    from live_tail.alerts.rules.rule_files import RuleProblem
    from live_tail.alerts.trials.promtest import run_file
    from live_tail.alerts.trials.promtest_files import BadTestFile

    outcomes: list[Outcome] = []
    for file in files:
        try:
            outcomes += run_file(file)
        except (BadTestFile, RuleProblem) as problem:
            raise Problem(str(problem), code=2) from None
    wrong = [outcome for outcome in outcomes if not outcome.is_met]
    for outcome in wrong:
        print(outcome.difference())
    out.print(f"{len(outcomes) - len(wrong)} of {len(outcomes)} expectations met")
    raise typer.Exit(1 if wrong else 0)


@commands.command("backtest")
def backtest(
    path: Annotated[
        Path | None, typer.Argument(help="Directory or .tar.xz with otlp/index.jsonl.")
    ] = None,
    since: Annotated[str, typer.Option(help="Instead: history of the lake, such as 7d.")] = "",
    rules: Annotated[
        Path | None, typer.Option(help="Only the rules of this folder or file.")
    ] = None,
    step: Annotated[str, typer.Option(help="Time between rounds.")] = "5s",
    archive: Annotated[
        bool, typer.Option("--archive", help="History: read archived partitions as well.")
    ] = False,
) -> None:
    """Run the rules over captured telemetry in simulated time; print every alert's life as JSON.

    Example: ./tta.sh monitor alerts backtest capture.tar.xz --step 5s
    """
    from live_tail.alerts.trials.backtest import NothingToReplay, backtest_bodies, backtest_history

    if (path is None) == (not since):
        raise Problem("give either a capture or --since, such as --since 7d.", code=2)
    width = _duration(step, "--step")
    if width < timedelta(seconds=1):
        raise Problem("--step must be at least 1s.", code=2)
    try:
        if path is None:
            found = backtest_history(
                settings(),
                _duration(since, "--since"),
                _chosen(rules),
                width,
                with_archive=archive,
            )
        else:
            found = backtest_bodies(_bodies(path), _chosen(rules), width)
    except NothingToReplay:
        raise Problem("there is nothing to replay: the capture or the history is empty.") from None
    print(json.dumps(_plain(found), indent=1))


@commands.command("import")
def import_rules(
    file: Annotated[Path, typer.Argument(help="A Prometheus rule file.")],
    write: Annotated[bool, typer.Option(help="Write it to <home>/rules/.")] = False,
) -> None:
    """Translate Prometheus alert rules; what does not translate is listed with the reason.

    Example: ./tta.sh monitor alerts import alerts.yml --write
    """
    from live_tail.alerts.importing.importer import Untranslatable, import_file
    from live_tail.alerts.rules.rule_files import SHIPPED, RuleProblem, load_rules, names_in
    from privacy.gate.allow_list import PolicyProblem
    from privacy.site_policy import load_site_policy, merged

    home = settings().home
    folder = home / "rules"
    target = folder / f"{file.stem}.yaml"
    if write and target.exists():
        raise Problem(f"{target} exists: remove it or rename {file.name}.")
    try:
        allowed = merged(load_site_policy(home))
        load_rules([SHIPPED, folder])
        imported = import_file(file, allowed, names_in(folder), names_in(SHIPPED))
    except Untranslatable as problem:
        raise Problem(f"{problem}.", code=2) from None
    except (PolicyProblem, RuleProblem) as problem:
        raise Problem(f"nothing was imported: {problem}") from None
    for name, reason in imported.refused:
        err.print(f"not translated: {name}: {reason}")
    for name, what in imported.lost:
        err.print(f"translated with a loss: {name}: {what}")
    if not write:
        print(imported.as_yaml(), end="")
        return
    about = {"rules": len(imported.rules)}
    with noted(home, Problem, action="rules.import", target=target.name, **about):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.write_text(imported.as_yaml())
        try:
            load_rules([SHIPPED, folder])
        except RuleProblem as problem:
            target.unlink()
            raise Problem(f"nothing was written: {problem}") from None
    out.print(f"{len(imported.rules)} rules written to {target}")


def _chosen(rules: Path | None) -> "tuple[Rule, ...]":
    from live_tail.alerts.rules.rule_files import SHIPPED, RuleProblem, load_rules

    if rules is not None and not rules.exists():
        raise Problem(f"{rules} does not exist: give a folder with rule files.", code=2)
    folders = [SHIPPED, settings().home / "rules"] if rules is None else [rules]
    try:
        return load_rules(folders)
    except RuleProblem as problem:
        raise Problem(str(problem), code=2) from None


def _bodies(path: Path) -> "list[Body]":
    from ingestion.receivers.doors.http import PATHS
    from live_tail.alerts.trials.backtest import Body
    from tta_monitor.traffic import replay as replays

    captured = replays.read_capture(path)
    return [Body(PATHS[c.path], replays.protobuf_of(c), c.recorded_at) for c in captured]


def _duration(text: str, option: str) -> timedelta:
    from live_tail.alerts.reading.selecting import duration

    try:
        return duration(text)
    except ValueError as error:
        raise Problem(f"{option} {error}.", code=2) from None


def _plain(found: "Backtest") -> dict[str, object]:
    return {
        "started_at": found.started_at.isoformat().replace("+00:00", "Z"),
        "ended_at": found.ended_at.isoformat().replace("+00:00", "Z"),
        "items": found.items,
        "unreadable_bodies": found.unreadable_bodies,
        "received_later_s": round(found.received_later_s, 3),
        "rounds": found.rounds,
        "failed_rules": found.failed_rules,
        "unjudged_rules": found.unjudged_rules,
        "alerts": found.alerts,
    }
