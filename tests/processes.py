"""Real processes of the product over a fresh home, for end-to-end tests and benchmarks.

Here: starting, waiting and killing. Not here: what is sent (`tests/bench/load`) or asserted.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from ingestion.doors.service_token import service_token
from ingestion.settings import Settings, load_settings
from privacy.keys.key_store import KeyStore

ROOT = Path(__file__).resolve().parent.parent
_APP = (
    "streamlit run streamlit_app/server.py --server.headless=true --server.address=127.0.0.1 "
    "--server.port"
).split()


class Running:
    """The started processes; each can be killed and started again on the same home and ports."""

    def __init__(self, home: Path, modules: Sequence[str]) -> None:
        KeyStore.open(home, create=True)
        names = ("RECEIVER__HTTP_PORT", "RECEIVER__GRPC_PORT", "LIVE__PORT", "APP__PORT")
        self.environment = {
            **os.environ,
            "TTA_MONITOR_HOME": str(home),
            **{f"TTA_MONITOR_{name}": str(free_port()) for name in names},
        }
        before = dict(os.environ)
        os.environ |= self.environment
        try:
            self.settings: Settings = load_settings(home)
        finally:
            os.environ.clear()
            os.environ |= before
        self._log = (home / "processes.log").open("ab")
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for module in modules:
                self.start(module)
        except AssertionError:
            self.stop()
            raise

    @property
    def http(self) -> str:
        """Address of the OTLP/HTTP door."""
        return f"http://127.0.0.1:{self.settings.receiver.http_port}"

    @property
    def grpc(self) -> str:
        """Address of the OTLP/gRPC door."""
        return f"http://127.0.0.1:{self.settings.receiver.grpc_port}"

    @property
    def app(self) -> str:
        """Address of the app."""
        return f"http://127.0.0.1:{self.settings.app.port}"

    def process(self, module: str) -> psutil.Process:
        """For looking at CPU time and memory."""
        return psutil.Process(self._started[module].pid)

    def start(self, module: str, *, is_awaited: bool = True) -> None:
        """Start, and wait until it answers."""
        arguments = [*_APP, str(self.settings.app.port)] if module == "streamlit" else [module]
        self._started[module] = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=self._log,
            stderr=self._log,
        )
        answers = {
            "ingestion.receivers": f"{self.http}/readyz",
            "live_tail": f"http://127.0.0.1:{self.settings.live.port}/readyz",
            "streamlit": f"{self.app}/_stcore/health",
        }
        if module in answers and is_awaited:
            self._wait(answers[module], self._started[module])

    def kill(self, module: str, number: int = signal.SIGKILL) -> None:
        """End it at once, as the kernel would."""
        self._started[module].send_signal(number)
        self._started[module].wait(30)

    def live(self, name: str, **parameters: object) -> list[dict]:
        """Rows of a live query."""
        url = f"http://127.0.0.1:{self.settings.live.port}/api/v1/query/{name}"
        answer = httpx.get(
            url,
            params={k: str(v) for k, v in parameters.items()},
            headers=live_headers(self.settings.home),
        )
        answer.raise_for_status()
        return answer.json()["rows"]

    def output(self) -> bytes:
        """What all processes wrote so far."""
        return Path(self._log.name).read_bytes()

    def has_died(self) -> list[str]:
        """Modules whose process has ended by itself."""
        return [module for module, p in self._started.items() if p.poll() is not None]

    def stop(self) -> None:
        """Terminate what still runs."""
        for process in self._started.values():
            process.terminate()
        for process in self._started.values():
            process.wait(30)
        self._log.close()

    def _wait(self, url: str, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and process.poll() is None:
            if _is_ready(url):
                return
            time.sleep(0.05)
        raise AssertionError(f"{url} did not answer: {self.output()[-2_000:].decode()}")


def live_headers(home: Path) -> dict[str, str]:
    """What the home's own processes send to the live API."""
    return {"Authorization": f"Bearer {service_token(KeyStore.open(home))}"}


@contextmanager
def running(home: Path, *modules: str) -> Iterator[Running]:
    """Processes that are stopped at the end."""
    processes = Running(home, modules)
    try:
        yield processes
    finally:
        processes.stop()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
