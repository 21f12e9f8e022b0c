"""`./tta.sh monitor up`, `down`, `status`, `doctor`: the processes of a home, and whether all is well.

Here: arguments, printing and exit codes. Not here: starting and stopping (`tta_monitor/running`), judging
(`tta_monitor/watching`).
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tta_monitor.console.context import out, print_table, settings, settings_or_defaults
from tta_monitor.console.groups import group
from tta_monitor.console.permission import keys_of

if TYPE_CHECKING:
    from ingestion.settings import Settings
    from privacy.keys.key_store import KeyStore

commands = group()
_READY_S = 180
_WAITER = Path(__file__).parents[1] / "running" / "waiter.py"


@commands.command()
def up(
    demo: Annotated[bool, typer.Option(help="Replay the packaged capture, then simulate.")] = False,
    detach: Annotated[bool, typer.Option(help="Return when everything is ready.")] = False,
    headless: Annotated[bool, typer.Option(help="Without app and Dagster's web page.")] = False,
) -> None:
    """Start everything and keep it running until Ctrl-C.

    Example: ./tta.sh monitor up --demo
    """
    from tta_monitor.running import supervise
    from tta_monitor.running.programs import programs

    chosen = settings()
    if supervise.is_running(chosen):
        out.print(f"already running for {chosen.home}")
        _print_urls(chosen, headless=headless)
        return
    keys = keys_of(chosen.home)
    wanted = programs(chosen, demo=demo, headless=headless)
    supervise.check_ports(chosen, wanted)
    out.print(f"starting in {chosen.home}")
    process = supervise.start(chosen, wanted)
    try:
        for name, is_ready in supervise.wait_until_ready(wanted, timeout_s=_READY_S):
            log = chosen.run_path / f"{name}.log"
            out.print(f"  {name}: {'ready' if is_ready else f'not ready yet, see {log}'}")
        _print_urls(chosen, headless=headless)
        if not headless:
            _print_first_link(chosen, keys)
        if detach:
            return
        out.print("Ctrl-C stops everything.")
        down = [sys.executable, "-m", "tta_monitor", "--home", str(chosen.home), "down"]
        _wait_in_little_memory(process.pid, down)
    except KeyboardInterrupt:
        out.print("stopping …")
        supervise.stop(chosen)
        out.print("stopped")


@commands.command()
def down() -> None:
    """Stop every process that `up` started, and no other.

    Example: ./tta.sh monitor down
    """
    from tta_monitor.running import supervisor

    chosen = settings()
    if supervisor.stop(chosen.home):
        out.print("stopped")
    else:
        out.print(f"nothing runs for {chosen.home}")


@commands.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show each process: state, pid, port, lag, last error. Exit code 1 when something is wrong.

    Example: ./tta.sh monitor status --json
    """
    from live_tail.alerts.desk.site_files import wrong_files
    from tta_monitor.running import supervise
    from tta_monitor.watching import batch_health, door_health

    chosen, is_right = settings_or_defaults()
    states = supervise.states(chosen)
    lag_ms = _live_lag(chosen) if is_right else None
    wrong = [f"{name}: {problem}" for name, problem in wrong_files(chosen).items()]
    batch = batch_health.problems(chosen, states)
    strangers = door_health.turned_away(chosen)
    is_wrong = bool(wrong or batch) or any(s.state not in {"running", "finished"} for s in states)
    rows = [{**s.__dict__, "lag_ms": lag_ms if s.name == "live-tail" else None} for s in states]
    if not is_right:
        rows = [{**row, "port": None} for row in rows]
    if as_json:
        answer = {"home": str(chosen.home), "ok": not is_wrong, "processes": rows}
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


@commands.command()
def doctor() -> None:
    """Check this machine and the data home. Exit code 1 when something must be mended.

    Example: ./tta.sh monitor doctor
    """
    from tta_monitor.watching import doctor as doctor_checks

    worst = 0
    for finding in doctor_checks.examine(settings_or_defaults()[0]):
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
    from privacy.access.identities import Identities
    from privacy.audit.audit_log import AuditLog

    if settings.access.sign_in == "off":
        out.print("Sign-in is off: everybody on this machine is admin.")
        return
    log = AuditLog(settings.home, keys)
    secret = Identities(settings.home, keys, log).links.first()
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
