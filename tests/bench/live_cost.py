"""What it costs to be live: processor time and memory of the live tail and the notifier, by load.

Here: three loads over real processes: at rest with our own host metrics only, 25 simulated requests a
second with no page open, 5,000 spans a second with two pages open that ask what the Overview asks.
`python -m tests.bench.live_cost [SECONDS]` runs it alone. Not here: the other processes' costs.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.bench.load import capture_load, send
from tests.processes import ROOT, Running, live_headers, running

_PROCESSES = ("live_tail", "live_tail.alerts.notify.notifier")
_OTHERS = ("ingestion.receivers", "ingestion.collectors")
_OVERVIEW = "freshness summary latency requests ai_calls components".split()
_REFRESH_S = 1.5
_SPANS_PER_S = 5_000
_REQUESTS_PER_S = 25


def live_cost(seconds: float = 60) -> dict[str, Any]:
    """Cores and megabytes of each process at each load, and how old what pages were told was."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, running(
        Path(folder), *_OTHERS, *_PROCESSES
    ) as started:  # fmt: skip
        time.sleep(min(30, seconds))
        found |= _measured(started, "at_rest", seconds)
        with _simulated(started):
            time.sleep(min(20, seconds))
            found |= _measured(started, f"at_{_REQUESTS_PER_S}_requests_s", seconds)
        ages: list[float] = []
        with _loaded(started, seconds + 20), _page(started, ages), _page(started, ages):
            time.sleep(10)
            ages.clear()
            found |= _measured(started, f"at_{_SPANS_PER_S}_spans_s_two_pages", seconds)
            ordered = sorted(ages)
        found["live_lag_told_p95_ms"] = round(ordered[int(len(ordered) * 0.95)])
    return found


def _measured(started: Running, load: str, seconds: float) -> dict[str, Any]:
    before = {name: sum(started.process(name).cpu_times()[:2]) for name in _PROCESSES}
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    found: dict[str, Any] = {}
    for name, spent in before.items():
        process = started.process(name)
        short = name.rpartition(".")[2]
        found[f"{short}_cores_{load}"] = round((sum(process.cpu_times()[:2]) - spent) / took, 3)
        found[f"{short}_rss_mb_{load}"] = round(process.memory_info().rss / 1e6)
    print(json.dumps(found), flush=True)
    return found


@contextmanager
def _simulated(started: Running) -> Iterator[None]:
    """The demo's traffic through the real door."""
    command = [
        sys.executable, "-m", "tta_monitor.simulator", "--endpoint", started.http,
        "--rate", str(_REQUESTS_PER_S), "--seed", "7",
    ]  # fmt: skip
    traffic = subprocess.Popen(command, cwd=ROOT, env=started.environment)
    try:
        yield
    finally:
        traffic.terminate()
        traffic.wait(30)


@contextmanager
def _loaded(started: Running, seconds: float) -> Iterator[None]:
    """Captured traces with fresh ids at a fixed rate."""
    repeats = int(_SPANS_PER_S * seconds / 10_161) + 1
    loads = capture_load(repeats, seed=11, now_ns=time.time_ns())
    sending = threading.Thread(
        target=send,
        args=(started.settings.receiver.http_port, loads),
        kwargs={"connections": 8, "spans_per_s": _SPANS_PER_S},
        daemon=True,
    )
    sending.start()
    yield
    sending.join()


@contextmanager
def _page(started: Running, ages: list[float]) -> Iterator[None]:
    """What an open Overview asks, every refresh; notes how old the data was that it was told of."""
    closed = threading.Event()
    address = f"http://127.0.0.1:{started.settings.live.port}/api/v1"
    client = httpx.Client(headers=live_headers(started.settings.home), timeout=30)

    def refresh() -> None:
        while not closed.wait(_REFRESH_S):
            for name in _OVERVIEW:
                answer = client.get(f"{address}/query/{name}")
                ages.append(answer.json()["lag_ms"] or 0.0)
            client.get(f"{address}/alerts")

    thread = threading.Thread(target=refresh, daemon=True)
    thread.start()
    try:
        yield
    finally:
        closed.set()
        thread.join()
        client.close()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    print(json.dumps(live_cost(float(sys.argv[1]) if len(sys.argv) > 1 else 60), indent=1))
