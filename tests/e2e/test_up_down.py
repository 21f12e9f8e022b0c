"""`up --demo`, a killed process, `status`, `down`: as an operator does it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.processes import ROOT, free_port, live_headers

_PORTS = (
    "RECEIVER__HTTP_PORT", "RECEIVER__GRPC_PORT", "LIVE__PORT", "APP__PORT", "WAREHOUSE__DAGSTER_PORT",
)  # fmt: skip


class Operator:
    """Types commands for one home whose ports nobody else uses."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = {name: free_port() for name in _PORTS}
        self._environment = {
            **os.environ,
            "TTA_MONITOR_HOME": str(home),
            **{f"TTA_MONITOR_{name}": str(port) for name, port in self.ports.items()},
        }

    def types(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["./tta.sh", "monitor", *arguments],
            capture_output=True, text=True, cwd=ROOT, env=self._environment, check=False, timeout=240,
        )  # fmt: skip

    def status(self) -> dict[str, dict]:
        done = self.types("status", "--json")
        return {p["name"]: p for p in json.loads(done.stdout)["processes"]}

    def live(self, name: str) -> list[dict]:
        url = f"http://127.0.0.1:{self.ports['LIVE__PORT']}/api/v1/query/{name}"
        return httpx.get(url, headers=live_headers(self.home)).json()["rows"]

    def processes(self) -> list[str]:
        """Command lines of all processes that belong to this home."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TTA_MONITOR_HOME") == str(self.home):
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return found


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    someone = Operator(tmp_path / "home")
    yield someone
    someone.types("down")


def _until(is_so: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return
        time.sleep(0.5)
    raise AssertionError("it did not happen in time")


def _lets_in(printed: str) -> bool:
    """Whether the printed link signs in: its page, and the form on it."""
    (link,) = re.findall(r"http\S+/sign-in\?link=\S+", printed)
    with httpx.Client() as browser:
        (token,) = re.findall(r'name="token" value="(\w+)"', browser.get(link).text)
        inside = browser.post(link, data={"token": token})
        return (inside.status_code, inside.headers["location"]) == (303, "/")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_everything_starts_heals_and_stops(operator: Operator) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        started = operator.types("up", "--demo", "--detach")
        assert started.returncode == 0, started.stderr
        assert f"http://127.0.0.1:{operator.ports['APP__PORT']}" in started.stdout
        assert "not ready" not in started.stdout
        assert _lets_in(started.stdout)

        states = operator.status()
        assert {"receiver", "live-tail", "dagster", "app"} <= set(states)
        assert all(p["state"] == "running" for p in states.values()), states
        _until(lambda: len(operator.live("components")) >= 5, 90)

        assert "already running" in operator.types("up").stdout
        psutil.Process(states["receiver"]["pid"]).kill()
        _until(lambda: operator.status()["receiver"]["state"] == "running", 60)
        assert operator.status()["receiver"]["pid"] != states["receiver"]["pid"]

        stopped = operator.types("down")
        assert "stopped" in stopped.stdout
        assert operator.processes() == []
        assert stranger.poll() is None
        assert operator.types("status").returncode == 1
        output = b"".join(p.read_bytes() for p in (operator.home / "run").glob("*.log"))
        assert b"Traceback" not in output
        assert b"@example" not in output
    finally:
        stranger.kill()


def test_a_taken_port_is_named_with_the_setting_that_moves_it(operator: Operator) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", str(operator.ports["APP__PORT"]), "-b", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as taker:
        time.sleep(1)
        done = operator.types("up", "--detach")
        taker.kill()
    assert done.returncode != 0
    assert "TTA_MONITOR_APP__PORT" in done.stderr
    assert operator.processes() == []
