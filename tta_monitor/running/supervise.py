"""Starting, watching and stopping the product's processes, through supervisord.

Here: beginning, ports, states. Not here: what runs with which command (`programs`), asking the running
supervisor (`supervisor`), printing (`tta_monitor/commands`). supervisord restarts what dies with back-off,
rotates logs and stops whole process groups.
"""

import contextlib
import http.client
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dagster_project.process.dagster_home import dagster_environment, ensure_dagster_home
from ingestion.doors.home_socket import SocketConnection
from ingestion.settings import Settings
from privacy.disk.files import write_whole
from tta_monitor.console.problems import Problem
from tta_monitor.running import supervisor
from tta_monitor.running.programs import BIN, ROOT, Program, configuration, programs

_ASK_S = 2


@dataclass(frozen=True)
class ProcessState:
    """What `status` shows of a process."""

    name: str
    state: str
    pid: int | None
    port: int | None
    uptime_s: int | None
    last_error: str | None


def check_ports(settings: Settings, chosen: list[Program]) -> None:
    """Raise Problem naming every taken port and the setting that moves it."""
    wanted = [(p.name, p.port, p.port_setting) for p in chosen if p.port]
    wanted.append(("receiver (gRPC)", settings.receiver.grpc_port, "receiver.grpc_port"))
    taken = [
        f"{port} ({name}; set TTA_MONITOR_{setting.replace('.', '__').upper()})"
        for name, port, setting in wanted
        if _is_taken(port)
    ]
    if taken:
        raise Problem(
            f"port {', '.join(taken)} is taken by another process: stop it or choose other ports."
        )


def start(settings: Settings, chosen: list[Program]) -> subprocess.Popen[bytes]:
    """Write the configuration and start supervisord in its own session.

    Raises Problem when a port is taken.
    """
    _keep_to_its_owner(settings.home)
    settings.run_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    ensure_dagster_home(settings)
    written = configuration(settings, chosen).encode()
    write_whole(settings.run_path / "supervisord.conf", written)
    environment = {
        **os.environ,
        **dagster_environment(settings),
        "DO_NOT_TRACK": "1",
        "PYTHONUNBUFFERED": "1",
        # Looking for plugins reads the entry points of every installed package: 3 MB in each process.
        "PYDANTIC_DISABLE_PLUGINS": "1",
        # A pool for each thread keeps what one burst needed, for good.
        "MALLOC_ARENA_MAX": "2",
        # Arrow's own allocator keeps what a busy hour needed; the system's gives it back.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "PATH": f"{BIN}:{os.environ.get('PATH', '')}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", _conf(settings)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if is_running(settings):
            return process
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise Problem(
        f"the supervisor did not start: see {settings.run_path / 'supervisord.log'} and free the data "
        "home if another one uses it."
    )


def is_running(settings: Settings) -> bool:
    """Whether a supervisor answers for this data home."""
    return supervisor.running_pid(settings.home) is not None


def states(settings: Settings) -> list[ProcessState]:
    """The supervised processes; raises Problem when nothing runs."""
    ports = {p.name: p.port for p in programs(settings, demo=True, headless=False)}
    found = supervisor.processes(settings.home)
    if found is None:
        raise Problem(
            f"nothing runs for {settings.home}: start it with `./tta.sh monitor up`.", code=1
        )
    return [_state(info, ports) for info in found]


def stop(settings: Settings) -> bool:
    """Stop every process of this home and no other; False when nothing ran."""
    return supervisor.stop(settings.home)


def wait_until_ready(chosen: list[Program], *, timeout_s: float) -> Iterator[tuple[str, bool]]:
    """Yield (name, is_ready) as each process with a ready URL answers, or at the deadline."""
    waiting = {p.name: p for p in chosen if p.ready_url}
    deadline = time.monotonic() + timeout_s
    while waiting and time.monotonic() < deadline:
        for name, program in list(waiting.items()):
            if _answers(program.ready_url, program.socket):
                del waiting[name]
                yield name, True
        time.sleep(0.2)
    for name in waiting:
        yield name, False


def _keep_to_its_owner(home: Path) -> None:
    """Other users of this machine neither read the home nor see what is there."""
    home.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):  # A volume of another owner's; `doctor` says so.
        home.chmod(home.stat().st_mode & stat.S_IRWXU)


def _state(info: dict[str, Any], ports: dict[str, int | None]) -> ProcessState:
    is_up = info["statename"] == "RUNNING"
    is_done = info["statename"] == "EXITED" and info["exitstatus"] == 0
    error = info["spawnerr"] or None
    if not is_up and not is_done and not error:
        error = f"exit status {info['exitstatus']}"
    return ProcessState(
        name=info["name"],
        state="finished" if is_done else info["statename"].lower(),
        pid=info["pid"] or None,
        port=ports.get(info["name"]),
        uptime_s=int(info["now"] - info["start"]) if is_up else None,
        last_error=error,
    )


def _conf(settings: Settings) -> str:
    return str(settings.run_path / "supervisord.conf")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _answers(url: str, listens_at: Path | None) -> bool:
    parts = urlsplit(url)
    connection = (
        SocketConnection(listens_at, _ASK_S)
        if listens_at
        else http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ASK_S)
    )
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
