"""`./tta.sh monitor …` and `tta-monitor …`: every command of the product.

Here: arguments, printing and exit codes. Not here: what commands do (`supervise`, `replay`, `query`,
`doctor`, `dagster_project.process.build`).
"""

import json
import os
import signal
import sys
import time
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privacy.access.roles import Right
from privacy.process_log.log import guard
from tta_monitor.commands.groups import GROUPS, group
from tta_monitor.console.context import Chosen, err, out, print_table
from tta_monitor.console.context import settings as _settings
from tta_monitor.console.permission import guard_commands, require
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from ingestion.settings import Settings
    from privacy.keys.store import KeyStore

_top = group("TTA Monitor: the observability warehouse of TTA.")
_IN_GROUPS = (
    "access", "alert_rules", "alerts_life", "audit", "errors", "keys", "privacy_erase",
    "privacy_landed", "privacy_scan", "redact", "release", "retention", "site_policy",
)  # fmt: skip
_READY_S = 180
_WAITER = Path(__file__).parent / "running" / "waiter.py"


@_top.callback()
def common(
    home: Annotated[
        Path | None, typer.Option(help="Data home (default: TTA_MONITOR_HOME, else ./var).")
    ] = None,
) -> None:
    """TTA Monitor: the observability warehouse of TTA."""
    Chosen.home = home


@cache
def _complete() -> typer.Typer:
    """Every command, those in groups included."""
    for module in _IN_GROUPS:
        import_module(f"tta_monitor.commands.{module}")
    for name, members in GROUPS.items():
        guard_commands(members, (name,))
        _top.add_typer(members, name=name)
    return _top


def _asked_for(words: list[str]) -> typer.Typer:
    """The commands among which the words choose: a command of its own does without the groups."""
    own = {c.name or c.callback.__name__ for c in _top.registered_commands if c.callback}
    return _top if words and words[0] in own else _complete()


def __getattr__(name: str) -> Any:
    """`app`: the whole command line, for whoever mounts or tests it."""
    if name == "app":
        return _complete()
    raise AttributeError(name)


def main() -> None:
    """Entry point: a Problem becomes one sentence and an exit code, never a traceback."""
    guard()
    # Looking for plugins reads the entry points of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    try:
        _asked_for(sys.argv[1:])()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        err.print(error, mark="error:", colour="red")
        sys.exit(code)


def _exit_code(error: Exception) -> int | None:
    """The code for an error that says what to do; None for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error.code
    from ingestion.settings.sources import SettingsProblem
    from privacy.keys.store import KeyProblem

    return 2 if isinstance(error, SettingsProblem | KeyProblem) else None


@_top.command()
def up(
    demo: Annotated[bool, typer.Option(help="Replay the packaged capture, then simulate.")] = False,
    detach: Annotated[bool, typer.Option(help="Return when everything is ready.")] = False,
    headless: Annotated[bool, typer.Option(help="Without app and Dagster's web page.")] = False,
) -> None:
    """Start everything and keep it running until Ctrl-C.

    Example: ./tta.sh monitor up --demo
    """
    from privacy.keys.store import KeyStore
    from tta_monitor.running import supervise

    settings = _settings()
    if supervise.is_running(settings):
        out.print(f"already running for {settings.home}")
        _print_urls(settings, headless=headless)
        return
    keys = KeyStore.open(settings.home, create=True)
    chosen = supervise.programs(settings, demo=demo, headless=headless)
    supervise.check_ports(settings, chosen)
    out.print(f"starting in {settings.home}")
    process = supervise.start(settings, chosen)
    try:
        for name, is_ready in supervise.wait_until_ready(chosen, timeout_s=_READY_S):
            log = settings.run_path / f"{name}.log"
            out.print(f"  {name}: {'ready' if is_ready else f'not ready yet, see {log}'}")
        _print_urls(settings, headless=headless)
        if not headless:
            _print_first_link(settings, keys)
        if detach:
            return
        out.print("Ctrl-C stops everything.")
        down = [sys.executable, "-m", "tta_monitor", "--home", str(settings.home), "down"]
        _wait_in_little_memory(process.pid, down)
    except KeyboardInterrupt:
        out.print("stopping …")
        supervise.stop(settings)
        out.print("stopped")


@_top.command()
def down() -> None:
    """Stop every process that `up` started, and no other.

    Example: ./tta.sh monitor down
    """
    from tta_monitor.running import supervisor

    settings = _settings()
    if supervisor.stop(settings.home):
        out.print("stopped")
    else:
        out.print(f"nothing runs for {settings.home}")


@_top.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show each process: state, pid, port, lag, last error. Exit code 1 when something is wrong.

    Example: ./tta.sh monitor status --json
    """
    from tta_monitor.running import supervise
    from tta_monitor.watching import batch_health, door_health
    from tta_monitor.watching import doctor as doctor_checks

    settings = _settings()
    states = supervise.states(settings)
    lag_ms = _live_lag(settings)
    wrong = doctor_checks.wrong_files(settings)
    batch = batch_health.problems(settings, states)
    strangers = door_health.turned_away(settings)
    is_wrong = bool(batch) or any(s.state not in {"running", "finished"} for s in states)
    rows = [{**s.__dict__, "lag_ms": lag_ms if s.name == "live-tail" else None} for s in states]
    if as_json:
        answer = {"home": str(settings.home), "ok": not is_wrong, "processes": rows}
        told = {"wrong_files": wrong, "batch": batch, "turned_away": strangers}
        print(json.dumps({**answer, **told}))
    else:
        print_table(
            ["process", "state", "pid", "port", "uptime s", "lag ms", "last error"],
            [
                [
                    r["name"],
                    r["state"],
                    r["pid"],
                    r["port"],
                    r["uptime_s"],
                    r["lag_ms"] if r["lag_ms"] is None else round(r["lag_ms"]),
                    r["last_error"],
                ]
                for r in rows
            ],
        )
        for problem in wrong:
            out.print(f"not taken: {problem}")
        for problem in batch:
            out.print(f"batch: {problem}")
        for why, count in strangers.items():
            out.print(f"turned away in the last hour: {count} at {why.replace('_', ' ')}")
    raise typer.Exit(1 if is_wrong else 0)


@_top.command()
def replay(
    path: Annotated[Path, typer.Argument(help="Directory or .tar.xz with otlp/index.jsonl.")],
    rate: Annotated[float | None, typer.Option(help="Bodies per second.", min=0.01)] = None,
    shift_to_now: Annotated[bool, typer.Option(help="Move times so that it ends now.")] = False,
) -> None:
    """Send captured OTLP bodies to the receiver.

    Example: ./tta.sh monitor replay capture.tar.xz --shift-to-now
    """
    from tta_monitor.traffic import replay as replays

    settings = _settings()
    captured = replays.read_capture(path)
    if shift_to_now:
        captured = replays.shifted(captured, time.time())
    receiver = settings.receiver
    endpoint = f"http://{receiver.host}:{receiver.http_port}"
    accepted = rejected = 0
    errors: dict[str, int] = {}
    for number, sent in enumerate(replays.send_all(captured, endpoint, rate=rate), start=1):
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


@_top.command()
def build() -> None:
    """Run one pass: drain, lake, checks, marts, publish. Exit code 0 only when all checks pass.

    Example: ./tta.sh monitor build
    """
    from dagster_project.marts.unasked import without_unasked
    from dagster_project.process.build import run_build
    from privacy.keys.store import KeyStore

    settings = _settings()
    without_unasked()
    # It may begin a home in the same moment as `up`.
    KeyStore.open(settings.home, create=True)
    report = run_build(settings, progress=lambda step: err.print(f"· {step}"))
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


@_top.command()
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

    answer = queries.ask(_settings(), sql, audience)
    if format == "json":
        print(queries.as_json(answer))
    elif format == "csv":
        print(queries.as_csv(answer), end="")
    else:
        print_table(answer.columns, [list(row) for row in answer.rows])
    if answer.is_cut:
        err.print(f"only the first {queries.MAX_ROWS} rows are shown: add a LIMIT or an aggregate")


@_top.command()
def doctor() -> None:
    """Check this machine and the data home. Exit code 1 when something must be mended.

    Example: ./tta.sh monitor doctor
    """
    from tta_monitor.watching import doctor as doctor_checks

    worst = 0
    for finding in doctor_checks.examine(_settings()):
        colour = {"ok": "green", "warn": "yellow", "fail": "red"}[finding.level]
        told = f"{finding.name}: {finding.message}"
        out.print(told, mark=f"{finding.level:>4}", colour=colour)
        worst = max(worst, finding.level == "fail")
    raise typer.Exit(int(worst))


def _wait_in_little_memory(supervisor_pid: int, stop: list[str]) -> None:
    """Go on as the waiter: what brought everything up is not needed to wait for its end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    waiter = [sys.executable, "-I", "-S", str(_WAITER), str(supervisor_pid), *stop]
    os.execv(sys.executable, waiter)  # noqa: S606


def _live_lag(settings: "Settings") -> float | None:
    from live_tail.http.client import LiveClient, LiveUnavailable

    try:
        return LiveClient.of(settings).query("freshness").lag_ms
    except LiveUnavailable:
        return None


def _print_first_link(settings: "Settings", keys: "KeyStore") -> None:
    """The admin's way in, printed once for a home: later ones come from `access link`."""
    from privacy.access.accounts import Accounts
    from privacy.audit.audit_log import AuditLog

    if settings.access.sign_in == "off":
        out.print("Sign-in is off: everybody on this machine is admin.")
        return
    log = AuditLog(settings.home, keys)
    secret = Accounts(settings.home, keys, log).first_link()
    log.close()
    if secret:
        address = f"http://{settings.app.host}:{settings.app.port}/sign-in?link={secret}"
        out.print(f"Sign in as admin (works once, for 24 h): {address}")
    else:
        out.print("To sign in: an account, or a link from `./tta.sh monitor access link`")


def _print_urls(settings: "Settings", *, headless: bool) -> None:
    receiver = settings.receiver
    out.print()
    if not headless:
        app = f"http://{settings.app.host}:{settings.app.port}"
        out.print(f"  app       {app} (Dagster under /dagster)")
    out.print(
        f"  OTLP      http://{receiver.host}:{receiver.http_port} (gRPC {receiver.grpc_port})"
    )
    out.print(f"  live API  http://{settings.live.host}:{settings.live.port}/api/v1/queries")
    out.print()
    out.print(
        "Point a component here: OTEL_EXPORTER_OTLP_ENDPOINT="
        f"http://{receiver.host}:{receiver.http_port}"
    )
    out.print()


guard_commands(_top)
