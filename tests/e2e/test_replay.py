"""Replay and simulator against a real receiver: what was sent is what landed, once."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from live_tail.alerts.desk.facts_out import COMPONENT as ALERTS
from privacy.keys.key_store import KeyStore
from tests.conftest import CAPTURE, ROOT
from tests.ingestion.receivers.test_receivers import landed, span_request
from tests.processes import Running, running
from tests.visitors import wait_for
from tta_monitor.traffic.replay import Captured, read_capture


def _monitor(processes: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tta_monitor", *arguments],
        capture_output=True, text=True, cwd=ROOT, env=processes.environment, check=False, timeout=240,
    )  # fmt: skip


def _some_of_the_capture(folder: Path) -> Path:
    """Every sixth body of it: three times all of it is minutes of work on a busy machine."""
    return _captured(folder, read_capture(CAPTURE)[::6])


def _written(folder: Path, bodies: list[tuple[bytes, str, str | None]]) -> Path:
    """A capture folder of these bodies of spans, content types and encodings, a second apart."""
    some = [
        Captured("/v1/traces", kind, encoding, body, 1_790_000_000 + number)
        for number, (body, kind, encoding) in enumerate(bodies)
    ]
    return _captured(folder, some)


def _captured(folder: Path, some: list[Captured]) -> Path:
    """A capture folder as TTA's capture tool writes it."""
    (folder / "otlp").mkdir(parents=True)
    lines = []
    for number, one in enumerate(some):
        (folder / "otlp" / f"{number}.bin").write_bytes(one.body)
        entry = {"path": one.path, "file": f"{number}.bin", "ts": one.recorded_at}
        about = {"content_type": one.content_type, "content_encoding": one.content_encoding}
        lines.append(json.dumps(entry | about))
    (folder / "otlp" / "index.jsonl").write_text("\n".join(lines))
    return folder


def _json(request: ExportTraceServiceRequest) -> bytes:
    tree = MessageToDict(request)
    span = tree["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    first = request.resource_spans[0].scope_spans[0].spans[0]
    span["traceId"], span["spanId"] = first.trace_id.hex(), first.span_id.hex()
    return json.dumps(tree).encode()


def _accepted(processes: Running) -> int:
    """Items of the last minutes; what the capture sets off is told through the same door, and none of it."""
    rows = processes.live("platform", minutes=5)
    return sum(row["accepted_items"] for row in rows if row["component"] != ALERTS)


def test_a_capture_is_sent_and_a_second_time_adds_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    capture = str(_some_of_the_capture(tmp_path_factory.mktemp("capture")))
    with running(tmp_path, "ingestion.receivers", "live_tail") as processes:
        first = _monitor(processes, "replay", capture, "--shift-to-now")
        assert first.returncode == 0, first.stderr
        assert "0 rejected" in first.stdout
        again = _monitor(processes, "replay", capture)
        thrice = _monitor(processes, "replay", capture)
        assert again.returncode == thrice.returncode == 0
        told = re.search(r" (\d+) items accepted", first.stdout)
        assert told
        # A reader waits for some rounds of the window, not for all of three captures.
        accepted = wait_for(
            lambda: found if (found := _accepted(processes)) >= 3 * int(told[1]) else None,
            lambda: f"{_accepted(processes)} items of 3 times {told[1]}",
            60,
        )
        assert accepted == 3 * int(told[1])
        assert any(row["duplicate_items"] for row in processes.live("platform", minutes=5))


def test_compressed_and_json_bodies_are_replayed_and_shifted(tmp_path: Path) -> None:
    protobuf = [span_request(span=bytes([n]) * 8) for n in range(1, 4)]
    capture = _written(
        tmp_path / "capture",
        [
            (gzip.compress(protobuf[0].SerializeToString()), "application/x-protobuf", "gzip"),
            (_json(protobuf[1]), "application/json", None),
            (protobuf[2].SerializeToString(), "application/x-protobuf", None),
        ],
    )
    home = tmp_path / "home"
    home.mkdir()
    with running(home, "ingestion.receivers") as processes:
        plain = _monitor(processes, "replay", str(capture), "--rate", "100")
        shifted = _monitor(processes, "replay", str(capture), "--shift-to-now")
    assert plain.returncode == shifted.returncode == 0, plain.stderr + shifted.stderr
    assert "3 items accepted" in plain.stdout
    from ingestion.spool import Spool

    rows = landed(Spool(processes.settings.spool_path, KeyStore.open(home)), "spans")
    assert len(rows) == 6
    assert len({row["start_at"] for row in rows}) == 2


def test_a_receiver_that_is_not_there_is_named(tmp_path: Path) -> None:
    capture = _written(
        tmp_path / "capture", [(span_request().SerializeToString(), "application/x-protobuf", None)]
    )
    with running(tmp_path, "ingestion.receivers") as processes:
        processes.kill("ingestion.receivers")
        done = _monitor(processes, "replay", str(capture))
    assert done.returncode == 1
    assert "does not answer" in done.stderr


@pytest.mark.slow
def test_simulated_traffic_shows_every_kind_of_work(tmp_path: Path) -> None:
    with running(tmp_path, "ingestion.receivers", "live_tail") as processes:
        done = subprocess.run(
            [sys.executable, "-m", "tta_monitor.simulator", "--rate", "40", "--seed", "3",
             "--duration", "8"],
            cwd=ROOT, env={**os.environ, **processes.environment}, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0
        names = {row["component"] for row in processes.live("components")}
        assert len(names) >= 3
        for query in ("routes", "ai_calls", "databases", "requests"):
            assert processes.live(query, minutes=5), query
        assert processes.live("summary", minutes=5)[0]["request_per_s"] > 0
    assert b"Traceback" not in processes.output()
    assert b"@example" not in processes.output()
