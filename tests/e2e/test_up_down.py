"""`up --demo`, a killed process, `status`, `down`: as an operator does it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.operator import Operator


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

        # Whatever the supervisor dies of, nothing goes on of which no command knows.
        pid = int((operator.home / "run" / "supervisord.pid").read_text())
        psutil.Process(pid).kill()
        _until(lambda: operator.processes() == [], 60)
        assert operator.types("up", "--detach").returncode == 0

        stopped = operator.types("down")
        assert "stopped" in stopped.stdout
        assert operator.processes() == []
        # Who sends ends before who receives: nothing is told to nobody, and nobody waits to tell it.
        log = (operator.home / "run" / "supervisord.log").read_text()
        ended = re.findall(r"stopped: (\S+)", log)
        assert ended[-1] == "receiver"
        assert ended.index("collectors") < ended.index("live-tail")
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
