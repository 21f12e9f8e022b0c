"""What `up` starts: every process of the product with its command, port and sign of readiness.

Here: the list, and what supervisord is told of it. Not here: starting and watching (`supervise`), asking the
running supervisor (`supervisor`), the processes themselves.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from ingestion.settings import Settings
from tta_monitor.running import supervisor

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Program:
    """One supervised process; `ready_url` answers 200 when it works, over `socket` where it has one."""

    name: str
    command: list[str]
    port: int | None = None
    port_setting: str = ""
    ready_url: str = ""
    socket: Path | None = None
    is_job: bool = False


def programs(settings: Settings, *, demo: bool, headless: bool) -> list[Program]:
    """Everything that `up` starts."""
    home = str(settings.home)
    receiver, live, app = settings.receiver, settings.live, settings.app
    python = [sys.executable, "-m"]
    dagster = [*python, "dagster_project.process", "serve"]
    chosen = [
        Program(
            "receiver",
            [*python, "ingestion.receivers", "--home", home],
            receiver.http_port,
            "receiver.http_port",
            f"http://{receiver.host}:{receiver.http_port}/readyz",
        ),
        Program(
            "live-tail",
            [*python, "live_tail", "--home", home],
            live.port,
            "live.port",
            f"http://{live.host}:{live.port}/livez",
        ),
        Program("notifier", [*python, "live_tail.alerts.notify.notifier", "--home", home]),
        Program(
            "dagster",
            [*dagster, "--headless"] if headless else dagster,
            ready_url="" if headless else "http://dagster/server_info",
            socket=settings.dagster_socket,
        ),
    ]
    if settings.collectors.enabled:
        chosen.append(Program("collectors", [*python, "ingestion.collectors", "--home", home]))
    if not headless:
        run = [*python, "streamlit", "run", "streamlit_app/server.py", "--server.headless=true"]
        chosen.append(
            Program(
                "app",
                [*run, f"--server.port={app.port}", f"--server.address={app.host}"],
                app.port,
                "app.port",
                f"http://{app.host}:{app.port}/_stcore/health",
            )
        )
    if demo:
        chosen.append(
            Program("demo", [*python, "tta_monitor.traffic.demo", "--home", home], is_job=True)
        )
    return chosen


def configuration(settings: Settings, chosen: list[Program]) -> str:
    """The configuration of supervisord for these programs."""
    run = settings.run_path
    head = f"""[unix_http_server]
file={supervisor.socket_path(settings.home)}
chmod=0700

[supervisord]
logfile={run}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={run}/supervisord.pid
nodaemon=true
directory={ROOT}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(_section(run, *numbered) for numbered in enumerate(chosen))


def _section(run: Path, place: int, program: Program) -> str:
    """Programs stop one by one from the last to the first: who sends ends before who receives."""
    command = " ".join(f'"{part}"' if " " in part else part for part in program.command)
    restart = "autorestart=unexpected\nexitcodes=0\nstartsecs=0"
    if not program.is_job:
        restart = "autorestart=true\nstartsecs=2"
    return f"""
[program:{program.name}]
command={command.replace("%", "%%")}
priority={place}
{restart}
startretries=1000
stopasgroup=true
killasgroup=true
stopwaitsecs=20
redirect_stderr=true
stdout_logfile={run}/{program.name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""
