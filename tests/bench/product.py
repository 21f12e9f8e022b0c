"""The whole product on its own ports, seen from outside: its processes, what they cost, what is published.

Here: processor time and memory by process over a span of time, traffic of two kinds, the age of what is
published. Not here: which loads are measured (`budgets`) and which passes are tried (`passes`).
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.bench.load import capture_load, send
from tests.e2e.operator import Operator
from tests.processes import ROOT

_NAMES = {
    "ingestion.receivers": "receiver",
    "ingestion.collectors": "collectors",
    "live_tail.alerts.notify.notifier": "notifier",
    "live_tail": "live tail",
    "dagster_project.process": "batch",
    "streamlit": "app",
    "supervisor.supervisord": "supervisor",
    "tta_monitor.traffic.demo": "demo",
    "tta_monitor.simulator": "demo",
}


class Product:
    """One home with everything running."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        pid = int((operator.home / "run" / "supervisord.pid").read_text())
        self._supervisor = psutil.Process(pid)

    @property
    def port(self) -> int:
        """Where OTLP/HTTP is taken."""
        return self.operator.ports["RECEIVER__HTTP_PORT"]

    def costs(self) -> dict[str, tuple[float, float]]:
        """CPU-seconds so far, children that ended included, and resident megabytes, by process."""
        found: dict[str, tuple[float, float]] = {}
        for process in (self._supervisor, *self._supervisor.children(recursive=True)):
            try:
                name, times = _name(process.cmdline()), process.cpu_times()
                own = times.user + times.system
                reaped = times.children_user + times.children_system
                if process == self._supervisor:
                    reaped = 0.0
                cpu_s, mb = found.get(name, (0.0, 0.0))
                found[name] = (cpu_s + own + reaped, mb + process.memory_info().rss / 1e6)
            except psutil.Error:
                continue
        return found

    def published_age_s(self) -> float | None:
        """How old the operations copy is; None before the first one."""
        path = self.operator.home / "published" / "operations.duckdb"
        return time.time() - path.stat().st_mtime if path.exists() else None


def _name(command: list[str]) -> str:
    return next((_NAMES[word] for word in command if word in _NAMES), "other")


@contextmanager
def product(home: Path, *arguments: str, **settings: str) -> Iterator[Product]:
    """Everything, as `up` starts it, until the block ends."""
    operator = Operator(home, **settings)
    done = operator.types("up", "--detach", *arguments)
    try:
        if done.returncode:
            raise RuntimeError(done.stderr[-500:])
        yield Product(operator)
    finally:
        operator.types("down")


@contextmanager
def requests(operator: Operator, per_s: int) -> Iterator[None]:
    """Simulated requests that never pause."""
    command = [sys.executable, "-m", "tta_monitor.simulator", "--home", str(operator.home)]
    with subprocess.Popen(
        [*command, "--rate", str(per_s), "--seed", "7"],
        cwd=ROOT, env=operator.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as sender:  # fmt: skip
        try:
            yield
        finally:
            sender.terminate()


class Spans:
    """Spans of the capture at a rate, ids and times fresh, sent by a thread of this process."""

    def __init__(self, port: int, per_s: int) -> None:
        self._port, self._per_s = port, per_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self.accepted = self.refused = 0

    def _send(self) -> None:
        seed = 0
        while not self._stop.is_set():
            seed += 1
            loads = capture_load(
                max(self._per_s * 10 // 10_161, 1), seed=seed, now_ns=time.time_ns()
            )
            sent = send(self._port, loads, connections=8, spans_per_s=self._per_s)
            self.accepted += sent.spans
            self.refused += sent.refused

    def __enter__(self) -> "Spans":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
