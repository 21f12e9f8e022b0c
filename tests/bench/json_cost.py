"""What OTLP/JSON costs the receiver beside protobuf: the same spans, processor time of the process.

Here: bodies of several sizes of the capture's spans in both forms, sent over HTTP until they are durably
acknowledged; a pair of runs at a time, so that what else the machine does meets both. A ratio above
`LIMIT` ends the run with an error. `python -m tests.bench.json_cost` runs it alone. Not here: how long a
body keeps others waiting (`ingestion/receivers/committing/committer`).
"""

import base64
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.receivers.doors.http import JSON, PROTOBUF
from tests.bench.load import Load, capture_load, send
from tests.processes import running

LIMIT = 3.0
SIZES = (10, 100, 1_000, 2_000, 5_000)
_RUNS = 3
_SPANS = 20_000
_RECEIVERS = "ingestion.receivers"
_IDS = ("traceId", "spanId", "parentSpanId")


def json_cost() -> dict[str, Any]:
    """By size of body: microseconds of processor time a span of each form, and their ratio."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), _RECEIVERS) as started:
        port, receiver = started.settings.receiver.http_port, started.process(_RECEIVERS)
        first = list(_requests(100, seed=1))
        for form in (PROTOBUF, JSON):
            _us_a_span(receiver, port, _loads(first, 100, form))
        for size in SIZES:
            told: dict[str, list[float]] = {PROTOBUF: [], JSON: []}
            for run in range(_RUNS):
                bodies = list(_requests(size, seed=100 * size + run))
                for form, costs in told.items():
                    costs.append(_us_a_span(receiver, port, _loads(bodies, size, form)))
            protobuf, of_json = (statistics.median(told[form]) for form in (PROTOBUF, JSON))
            found |= {
                f"protobuf_us_per_span_in_bodies_of_{size}": round(protobuf, 1),
                f"json_us_per_span_in_bodies_of_{size}": round(of_json, 1),
                f"json_to_protobuf_in_bodies_of_{size}": round(of_json / protobuf, 2),
            }
    return found


def check(found: dict[str, Any]) -> None:
    """Raise AssertionError naming the sizes at which JSON costs too much."""
    ratios = {name: n for name, n in found.items() if name.startswith("json_to_protobuf")}
    over = {name: ratio for name, ratio in ratios.items() if ratio > LIMIT}
    assert not over, f"JSON costs more than {LIMIT} times protobuf: {over}"


def _us_a_span(process: psutil.Process, port: int, loads: list[Load]) -> float:
    before = sum(process.cpu_times()[:2])
    sent = send(port, loads, connections=8)
    assert sent.refused == 0
    return (sum(process.cpu_times()[:2]) - before) / sent.spans * 1e6


def _loads(requests: list[ExportTraceServiceRequest], size: int, form: str) -> list[Load]:
    loads = []
    for request in requests:
        body = as_json(request) if form == JSON else request.SerializeToString()
        loads.append(Load(gzip.compress(body, 1), size, form))
    return loads


def _requests(size: int, seed: int) -> Iterator[ExportTraceServiceRequest]:
    """Bodies of `size` spans of one component each, as the SDKs send them; ids never seen."""
    resources: dict[str, Any] = {}
    spans: dict[str, list[Any]] = {}
    repeats = -(-_SPANS // 10_161)
    for load in capture_load(repeats, seed=seed, now_ns=time.time_ns()):
        for group in ExportTraceServiceRequest.FromString(
            gzip.decompress(load.body)
        ).resource_spans:
            name = group.resource.SerializeToString(deterministic=True).hex()
            resources[name] = group.resource
            spans.setdefault(name, []).extend(s for c in group.scope_spans for s in c.spans)
    for name, some in spans.items():
        for start in range(0, len(some) - size + 1, size):
            request = ExportTraceServiceRequest()
            group = request.resource_spans.add(resource=resources[name])
            group.scope_spans.add().spans.extend(some[start : start + size])
            yield request


def as_json(request: ExportTraceServiceRequest) -> bytes:
    """The JSON that SDKs send: ids in hex, no spaces."""
    tree = MessageToDict(request)
    for group in tree["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                for owner in (span, *span.get("links", ())):
                    owner |= {n: _hex(owner[n]) for n in _IDS if n in owner}
    return json.dumps(tree, separators=(",", ":")).encode()


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()


if __name__ == "__main__":
    measured = json_cost()
    print(json.dumps(measured, indent=1))
    check(measured)
