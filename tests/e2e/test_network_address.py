"""A receiver at one address of the network: this home's own processes come in, nobody else without a token."""

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.doors.service_token import LIVE_API, RECEIVER, service_token
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.conftest import ROOT
from tests.e2e.stage import answers, serving, until
from tests.processes import Running, running

_ADDRESSES = [
    address.address
    for addresses in psutil.net_if_addrs().values()
    for address in addresses
    if address.family == socket.AF_INET and not address.address.startswith("127.")
]
needs_network = pytest.mark.skipif(
    not _ADDRESSES, reason="this machine has no address but loopback"
)
_JOBS = "scrape_configs: [{job_name: scraped, scrape_interval: 1s, static_configs: [{targets: ['%s']}]}]"


def _config(home: Path, inputs: Path, target: str) -> None:
    jobs, log = inputs / "prometheus.yml", inputs / "followed.log"
    jobs.write_text(_JOBS % target)
    log.write_text("2026-03-01 10:00:00 INFO started\n")
    (home / "config.yaml").write_text(
        f"receiver: {{host: {_ADDRESSES[0]}}}\n"
        "collectors:\n  host_interval_s: 0.5\n"
        f"  log_files: [{{glob: {log}}}]\n  prometheus_config: {jobs}\n"
    )


def _components(processes: Running) -> set[str]:
    """Of whom anything has landed."""
    spool = Spool(processes.settings.spool_path, KeyStore.open(processes.settings.home))
    signals = ["spans", "logs", "metric_points"]
    try:
        batches = list(spool.read(0, limit=10_000, signals=signals))
        return {row["component"] for batch in batches for row in batch.table().to_pylist()}
    finally:
        spool.close()


@needs_network
def test_collectors_log_follower_scraper_and_demo_come_in_at_an_address_of_the_network(
    home: Path, tmp_path: Path
) -> None:
    with serving(b"tta_up 1\n") as target, running(home) as processes:
        _config(home, tmp_path, target)
        door = f"http://{_ADDRESSES[0]}:{processes.settings.receiver.http_port}"
        processes.start("ingestion.receivers", is_awaited=False)
        until(lambda: answers(f"{door}/readyz"), 60)
        processes.start("ingestion.collectors")
        simulator = [
            sys.executable,
            "-m",
            "tta_monitor.simulator",
            "--home",
            str(home),
            "--duration",
            "3",
        ]
        subprocess.run(simulator, env=processes.environment, cwd=ROOT, check=True, timeout=120)
        wanted = {"tta-monitor-host", "followed", "scraped", "player-experience-api"}
        until(lambda: wanted <= _components(processes), 60)
        assert b"401" not in processes.output()
        assert _statuses(door, home) == {"nobody": 401, "live API's token": 401, "own token": 200}


def _statuses(door: str, home: Path) -> dict[str, int]:
    keys = KeyStore.open(home)
    shown = {
        "nobody": {},
        "live API's token": {"Authorization": f"Bearer {service_token(keys, LIVE_API)}"},
        "own token": {"Authorization": f"Bearer {service_token(keys, RECEIVER)}"},
    }
    body = ExportTraceServiceRequest().SerializeToString()
    protobuf = {"Content-Type": "application/x-protobuf"}
    return {
        who: httpx.post(f"{door}/v1/traces", content=body, headers=protobuf | headers).status_code
        for who, headers in shown.items()
    }
