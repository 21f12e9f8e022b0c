"""What waits and what answers quickly stays small: counted by the modules it loads, not by time."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from ingestion.settings import Settings
from tests.conftest import ROOT

HEAVY = set(
    """duckdb pyarrow pandas polars numpy dagster dbt streamlit altair spacy presidio_analyzer scipy opendp
    great_expectations codecarbon starlette uvicorn httpx rich""".split()
)
# The settings' cryptography and sqlite3 are a wheel and a library, not a stack.
_COMMANDS = [
    "--help", "status", "status --json", "down", "alerts list", "errors list", "errors list --json",
    "keys status", "access user list", "access whoami", "privacy verify", "privacy --help",
    "alerts --help", "errors --help", "retention --help", "access --help", "query --help",
]  # fmt: skip
_LOADED = """
import atexit, json, sys
atexit.register(lambda: sys.stderr.write("\\n" + json.dumps(sorted({m.split(".")[0] for m in sys.modules}))))
"""


def unmeasured() -> dict[str, str]:
    """An environment in which coverage, with its SQLite and its megabytes, does not come along."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def loaded_by(code: str, *arguments: str) -> set[str]:
    """The top-level modules of a process that runs the code to its end."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED + code, *arguments], env=unmeasured(),
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_light_command_loads_no_stack(settings: Settings, command: str) -> None:
    loaded = loaded_by("from tta_monitor.cli import main\nmain()", *command.split())
    assert "tta_monitor" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("command", "own"),
    [
        ("status", {"processes"}),
        ("down", {"processes"}),
        ("keys status", {"keys"}),
        ("alerts list", {"alert_rules", "alerts_life"}),
        ("--home somewhere errors list", {"errors"}),
        ("--no-such-option", set()),
    ],
)
def test_a_command_loads_the_modules_of_its_own_group_and_no_other(
    settings: Settings, command: str, own: set[str]
) -> None:
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: sys.stderr.write('\\n' + json.dumps([m for m in sys.modules])))\n"
        "from tta_monitor.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split()], env=unmeasured(),
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    prefix = "tta_monitor.commands."
    modules = json.loads(done.stderr.splitlines()[-1])
    assert {m.removeprefix(prefix) for m in modules if m.startswith(prefix)} == own


@pytest.mark.parametrize(
    "module",
    [
        "tta_monitor.traffic.demo",
        "tta_monitor.simulator.traffic",
        "live_tail.alerts.notify.notifier",
        "ingestion.collectors.__main__",
    ],
)
def test_a_process_that_mostly_waits_loads_no_stack(module: str) -> None:
    assert loaded_by(f"import {module}") & HEAVY == set()


# What checks settings, and what others speak HTTP with: a process of its own is asked instead.
_NOT_FOR_WAITING = {"pydantic", "pydantic_core", "requests", "urllib3"}


@pytest.mark.parametrize(
    ("module", "besides"),
    [
        ("live_tail.alerts.notify.notifier", {"opentelemetry"}),
        ("ingestion.collectors.__main__", {"cryptography", "sqlite3"}),
    ],
)
def test_a_process_that_waits_asks_another_for_its_settings(module: str, besides: set[str]) -> None:
    assert loaded_by(f"import {module}") & (_NOT_FOR_WAITING | besides) == set()


@pytest.mark.parametrize(
    "module",
    ["live_tail.alerts.notify.notifier", "ingestion.collectors", "tta_monitor.simulator"],
)
def test_a_process_that_waits_does_so_in_forty_megabytes(settings: Settings, module: str) -> None:
    (settings.home / "run").mkdir(exist_ok=True)
    with receiving() as (port, bodies):
        environment = {
            **unmeasured(),
            "TTA_MONITOR_RECEIVER__HTTP_PORT": str(port),
            "TTA_MONITOR_COLLECTORS__HOST_INTERVAL_S": "0.5",
            "MALLOC_ARENA_MAX": "2",  # as `up` starts them
        }
        command = [sys.executable, "-m", module]
        if module.endswith("simulator"):
            command += ["--endpoint", f"http://127.0.0.1:{port}"]
        said = settings.home / "said.log"
        with said.open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
        try:
            if module.endswith("notifier"):
                until(lambda: b"notifier starts" in said.read_bytes())
            else:
                until(lambda: len(bodies) >= 5)
            assert psutil.Process(process.pid).memory_info().rss <= 40 * 1024 * 1024
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def receiving() -> Iterator[tuple[int, list[bytes]]]:
    """A receiver that takes everything: its port, and what it was sent."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, bodies
    finally:
        server.shutdown()
        server.server_close()


def test_the_waiter_is_the_standard_library_alone_and_stops_everything_on_ctrl_c(
    tmp_path: Path,
) -> None:
    stop = tmp_path / "stop.py"
    stop.write_text("import os, sys\nos.kill(int(sys.argv[1]), 15)\nprint('stopped', flush=True)\n")
    code = (
        "import subprocess, sys\n"
        "from tta_monitor.commands import processes\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'],"
        " start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        f"stop = [sys.executable, '-S', {str(stop)!r}, str(child.pid)]\n"
        "processes._wait_in_little_memory(child.pid, stop)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as up:
        child = psutil.Process(int(up.stdout.readline()))
        waiter = psutil.Process(up.pid)
        until(lambda: "waiter.py" in " ".join(waiter.cmdline()))
        libraries = [m.path for m in waiter.memory_maps() if "site-packages" in m.path]
        assert libraries == []
        os.kill(up.pid, signal.SIGINT)
        said = up.stdout.read()
        assert "stopping" in said and "stopped" in said
        assert up.wait(30) == 0
    until(lambda: not child.is_running())


def test_the_waiter_ends_when_the_supervisor_does() -> None:
    code = (
        "import subprocess, sys\nfrom tta_monitor.commands import processes\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'pass'])\n"
        "processes._wait_in_little_memory(child.pid, ['/bin/false'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def until(is_so: object) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
