"""`make bench`: measures what docs/benchmarks.md shows; writes bench-results/bench.json and .md.

`python -m tests.bench throughput storage` runs only those. Every figure is measured in this run
on this machine.
"""

import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from dagster_project.process.build import run_build
from ingestion.lake.catalog import Catalog
from ingestion.lake.drain import drain
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.bench.alert_round import alert_round
from tests.bench.budgets import budgets
from tests.bench.budgets import table as budget_table
from tests.bench.first_starts import first_starts
from tests.bench.gate import gate
from tests.bench.json_cost import check as check_json_cost
from tests.bench.json_cost import json_cost
from tests.bench.live_cost import live_cost
from tests.bench.load import CAPTURE, capture_load, send
from tests.bench.passes import passes
from tests.browser import browser_page
from tests.e2e.test_browser import seconds_until_shown, send_requests
from tests.processes import Running, running
from tests.visitors import chromium_path
from tta_monitor.traffic.replay import read_capture, shifted

RESULTS = Path("bench-results")
RECEIVERS = "ingestion.receivers"


def main() -> None:
    """Run all measurements in order and write both tables."""
    figures: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    }
    chosen = sys.argv[1:]
    measures = (
        throughput, json_cost, acknowledgement, live_lag, live_cost, storage, history, alert_round, gate,
        budgets, passes, first_starts,
    )  # fmt: skip
    for measure in (m for m in measures if not chosen or m.__name__ in chosen):
        print(f"measuring {measure.__name__} …", flush=True)
        figures |= measure()
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "bench.json").write_text(json.dumps(figures, indent=1))
    by_process = figures.pop("budgets", None)
    table = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in figures.items())
    told = f"| figure | value |\n|---|---|\n{table}\n"
    if by_process:
        told += f"\n{budget_table(by_process)}\n"
    (RESULTS / "bench.md").write_text(told)
    print(told)
    check_json_cost(figures)


def throughput() -> dict[str, Any]:
    """Spans per CPU-second of the receiver through durable acknowledgement."""
    found: dict[str, Any] = {}
    now = time.time_ns()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), RECEIVERS) as started:
        port, receiver = started.settings.receiver.http_port, started.process(RECEIVERS)
        found["spans_per_cpu_s_cold"] = _per_cpu_s(
            receiver, port, capture_load(4, seed=1, now_ns=now)
        )
        loads = capture_load(16, seed=2, now_ns=now)
        found["spans_per_cpu_s_warm"] = _per_cpu_s(receiver, port, loads)
        loads = capture_load(8, seed=3, novel_share=0.05, now_ns=now)
        found["spans_per_cpu_s_5_pct_novel"] = _per_cpu_s(receiver, port, loads)
        found["rss_receiver_after_load_mb"] = round(receiver.memory_info().rss / 1e6)
    return found


def acknowledgement() -> dict[str, Any]:
    """Acknowledgement time at fixed rates; a rate the machine cannot hold shows as refused or late."""
    found: dict[str, Any] = {}
    now = time.time_ns()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), RECEIVERS) as started:
        port = started.settings.receiver.http_port
        send(port, capture_load(2, seed=4, now_ns=now), connections=16)
        for rate in (5_000, 20_000):
            loads = capture_load(max(rate * 8 // 10_161, 1), seed=rate, now_ns=now)
            sent = send(port, loads, connections=32, spans_per_s=rate)
            found[f"ack_p50_ms_at_{rate}_spans_s"] = round(sent.quantile_ms(0.5), 1)
            found[f"ack_p99_ms_at_{rate}_spans_s"] = round(sent.quantile_ms(0.99), 1)
            found[f"reached_at_{rate}_spans_s"] = round(sent.spans / sent.seconds)
            found[f"refused_at_{rate}_spans_s"] = sent.refused
    return found


def live_lag() -> dict[str, Any]:
    """From sending an export to its span being counted by the live API, and idle memory."""
    lags = []
    modules = (RECEIVERS, "live_tail", "ingestion.collectors", "streamlit")
    chance = random.Random(5)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), *modules) as started:
        time.sleep(10)
        idle = {m: round(started.process(m).memory_info().rss / 1e6) for m in modules}
        for _ in range(40):
            before = _live_requests(started)
            sent_s = time.perf_counter()
            send_requests(started, 1, chance)
            while _live_requests(started) == before and time.perf_counter() - sent_s < 10:
                time.sleep(0.005)
            lags.append(time.perf_counter() - sent_s)
        pages = _page_lags(started, chance) if chromium_path() else []
    return {
        **_quantiles_ms("event_to_live_api", lags),
        **_quantiles_ms("event_to_live_page", pages),
        **{f"idle_rss_{name.replace('.', '_')}_mb": mb for name, mb in idle.items()},
    }


def _page_lags(started: Running, chance: random.Random) -> list[float]:
    """Seconds from sending to the number on an open Overview, in a real browser."""
    send_requests(started, 900, chance)
    lags = []
    with browser_page(f"{started.app}/?range=15+min", started.settings.home) as page:
        time.sleep(5)
        for _ in range(40):
            lags.append(seconds_until_shown(page, started, chance))
            # At any moment of the refresh, not right after it.
            time.sleep(chance.random() * 2)
    return lags


def _quantiles_ms(name: str, seconds: list[float]) -> dict[str, int | None]:
    ordered = sorted(seconds)
    at = {
        q: round(ordered[int(len(ordered) * q / 100)] * 1e3) if ordered else None for q in (50, 95)
    }
    return {f"{name}_p{q}_ms": value for q, value in at.items()}


def storage() -> dict[str, Any]:
    """Bytes per item in spool and lake, and drain speed, on the capture."""
    with home() as (settings, keys):
        pipeline = Pipeline(Spool(settings.spool_path, keys), keys)
        bodies = [Incoming(_signal(c.path), c.body) for c in read_capture(CAPTURE)]
        for start in range(0, len(bodies), 64):
            pipeline.process(bodies[start : start + 64])
        sizes: dict[str, list[int]] = {}
        for batch in Spool(settings.spool_path, keys).read(0, limit=100_000):
            total = sizes.setdefault(batch.signal, [0, 0])
            total[0], total[1] = total[0] + len(batch.payload), total[1] + batch.row_count
        started = time.perf_counter()
        report = drain(settings, keys)
        took = time.perf_counter() - started
        catalog = Catalog(settings.lake_path)
        found: dict[str, Any] = {}
        for signal in ("spans", "logs", "metric_points"):
            files = catalog.files(signal)
            landed = sum(f.row_count for f in files)
            found[f"spool_bytes_per_{signal}"] = round(sizes[signal][0] / sizes[signal][1], 1)
            found[f"lake_bytes_per_{signal}"] = round(sum(f.byte_count for f in files) / landed, 1)
        found["drain_rows_per_s"] = round(sum(report.landed.values()) / took)
        return found


def history() -> dict[str, Any]:
    """Cost of a run with one new hour on 1, 10 and 100 hours of history."""
    found: dict[str, Any] = {}
    captured = read_capture(CAPTURE)
    for hours in (1, 10, 100):
        with home() as (settings, keys):
            pipeline = Pipeline(Spool(settings.spool_path, keys), keys)
            newest = time.time() - 7_200
            for hour in range(hours):
                _land(pipeline, shifted(captured, newest - 3_600 * (hours - hour)))
            assert run_build(settings).ok
            _land(pipeline, shifted(captured, newest + 900))
            before = _cpu_s()
            report = run_build(settings)
            assert report.ok
            found[f"new_hour_on_{hours}_hours_s"] = round(report.duration_s, 1)
            found[f"new_hour_on_{hours}_hours_cpu_s"] = round(_cpu_s() - before, 1)
            found["build_rows_per_s"] = round(61_440 / report.duration_s)
    one = found["new_hour_on_1_hours_cpu_s"]
    found["cost_ratio_100_to_1"] = round(found["new_hour_on_100_hours_cpu_s"] / one, 2)
    return found


def _live_requests(started: Running) -> int:
    return sum(row["request_count"] for row in started.live("routes", minutes=60))


def _land(pipeline: Pipeline, captured: list[Any]) -> None:
    bodies = [Incoming(_signal(c.path), c.body) for c in captured]
    for start in range(0, len(bodies), 128):
        pipeline.process(bodies[start : start + 128])


def _signal(path: str) -> str:
    return {"/v1/traces": "spans", "/v1/logs": "logs", "/v1/metrics": "metric_points"}[path]


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _per_cpu_s(process: psutil.Process, port: int, loads: list[Any]) -> int:
    before = sum(process.cpu_times()[:2])
    sent = send(port, loads, connections=32)
    assert sent.refused == 0
    return round(sent.spans / (sum(process.cpu_times()[:2]) - before))


@contextmanager
def home() -> Iterator[tuple[Settings, KeyStore]]:
    """A fresh data home."""
    with tempfile.TemporaryDirectory() as folder:
        keys = KeyStore.open(Path(folder), create=True)
        yield load_settings(Path(folder)), keys


if __name__ == "__main__":
    main()
