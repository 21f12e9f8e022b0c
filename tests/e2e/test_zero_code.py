"""A FastAPI application instrumented without code, with nothing set but the endpoint."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from live_tail.alerts.desk.facts_out import COMPONENT as ALERTS
from tests.processes import Running, free_port, running

_SCRIPTS = Path(sys.executable).parent


def _until(found: Callable[[], bool], seconds: float) -> float:
    started = time.monotonic()
    while not found():
        assert time.monotonic() - started < seconds, "it did not appear in time"
        time.sleep(0.1)
    return time.monotonic() - started


def _instrumented(processes: Running, endpoint: str, port: int, **more: str) -> subprocess.Popen:
    return subprocess.Popen(
        [
            _SCRIPTS / "opentelemetry-instrument", sys.executable, "-m", "uvicorn",
            "tests.e2e.fastapi_app:app", "--port", str(port), "--log-level", "warning",
        ],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/v1/sessions/player-4711").is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("door", "more"),
    [
        ("grpc", {}),
        ("http", {}),
        ("http", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}),
    ],
    ids=["the gRPC port", "the HTTP port, spoken to in gRPC", "the HTTP port in HTTP"],
)
def test_an_instrumented_application_appears_with_its_true_requests(
    tmp_path: Path, door: str, more: dict[str, str]
) -> None:
    with running(tmp_path, "ingestion.receivers", "live_tail") as processes:
        port = free_port()
        application = _instrumented(processes, getattr(processes, door), port, **more)
        try:
            _until(lambda: _answers(port), 30)
            for _ in range(4):
                httpx.get(f"http://127.0.0.1:{port}/api/v1/sessions/player-4711")
            httpx.get(f"http://127.0.0.1:{port}/fails")
            # The SDK itself holds spans for up to five seconds before it sends them.
            _until(lambda: bool(processes.live("components")), 5 + 5)
            _until(
                lambda: sum(r["request_count"] for r in processes.live("routes", minutes=5)) == 6,
                5 + 5,
            )
            routes = {r["route"]: r for r in processes.live("routes", minutes=5)}
        finally:
            application.terminate()
            application.wait(20)
        # The failing route is a new error group, and what becomes of that alert is told as well.
        seen = [c for c in processes.live("components") if c["component"] != ALERTS]
        (component,) = seen
        assert component["component"].startswith("unknown_service")
        assert routes["/api/v1/sessions/{session_id}"]["request_count"] == 5
        assert routes["/fails"]["error_count"] == 1
        assert b"eva.lindqvist" not in processes.output()
        for file in tmp_path.rglob("*"):
            if file.is_file():
                assert b"player-4711" not in file.read_bytes(), file
