"""Load for the benchmarks: captured bodies with fresh ids, and a lean HTTP client.

Here: making bodies and sending them over kept-alive connections, so that the sender costs little.
Not here: what is measured (`__main__`).
"""

import asyncio
import gzip
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.receivers.doors.http import PROTOBUF
from tta_monitor.traffic.demo import CAPTURE
from tta_monitor.traffic.replay import read_capture


@dataclass(frozen=True)
class Load:
    """One gzipped body, the spans in it and its content type."""

    body: bytes
    spans: int
    form: str = PROTOBUF


def capture_load(repeats: int, *, seed: int, novel_share: float = 0.0, now_ns: int) -> list[Load]:
    """The capture's trace bodies `repeats` times, ids and times fresh; a share of strings never seen."""
    chance = random.Random(seed)
    requests = [
        ExportTraceServiceRequest.FromString(c.body)
        for c in read_capture(CAPTURE)
        if c.path == "/v1/traces"
    ]
    latest = max(s.end_time_unix_nano for r in requests for s in _spans(r))
    loads = []
    for _ in range(repeats):
        for request in requests:
            fresh = ExportTraceServiceRequest()
            fresh.CopyFrom(request)
            _refresh(fresh, chance, now_ns - latest)
            if novel_share:
                _make_novel(fresh, chance, novel_share)
            spans = sum(1 for _ in _spans(fresh))
            loads.append(Load(gzip.compress(fresh.SerializeToString(), 1), spans))
    return loads


def request_body(
    ids: Sequence[bytes], chance: random.Random, component: str = "player-experience"
) -> bytes:
    """A trace body of server spans with these span ids, ended now."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    name = resource.resource.attributes.add(key="service.name")
    name.value.string_value = component
    spans = resource.scope_spans.add().spans
    for span_id in ids:
        now_ns = time.time_ns()
        span = spans.add(
            trace_id=chance.randbytes(16), span_id=span_id, name="GET /health", kind=2,
            start_time_unix_nano=now_ns - 10**6, end_time_unix_nano=now_ns,
        )  # fmt: skip
        for key, value in (("http.request.method", "GET"), ("http.route", "/health")):
            span.attributes.add(key=key).value.string_value = value
    return request.SerializeToString()


@dataclass(frozen=True)
class Sending:
    """What a run took: spans acknowledged, bodies refused, seconds in all and of each answer."""

    spans: int
    seconds: float
    latencies: list[float]
    refused: int

    def quantile_ms(self, q: float) -> float:
        """A quantile of the acknowledgement time in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(int(q * len(ordered)), len(ordered) - 1)] * 1e3


def send(
    port: int, loads: Sequence[Load], *, connections: int, spans_per_s: float | None = None
) -> Sending:
    """Send all bodies over kept-alive connections, at a rate or as fast as they are acknowledged."""
    return asyncio.run(_send(port, loads, connections, spans_per_s))


async def _send(
    port: int, loads: Sequence[Load], connections: int, spans_per_s: float | None
) -> Sending:
    latencies: list[float] = []
    refused = taken = 0
    started = time.perf_counter()
    due = _due_times(loads, spans_per_s)
    queue = iter(zip(loads, due, strict=True))

    async def worker() -> None:
        nonlocal refused, taken
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for load, at in queue:
            wait = started + at - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            # From when it was due: a sender that has to queue waits too.
            begun = max(started + at, started) if spans_per_s else time.perf_counter()
            writer.write(
                b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\n"
                b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
                % (load.form.encode(), len(load.body))
            )
            writer.write(load.body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            if length:
                await reader.readexactly(length)
            is_taken = b" 200 " in head.split(b"\r\n")[0]
            refused += not is_taken
            taken += load.spans * is_taken
            latencies.append(time.perf_counter() - begun)
        writer.close()

    await asyncio.gather(*(worker() for _ in range(connections)))
    return Sending(taken, time.perf_counter() - started, latencies, refused)


def _due_times(loads: Sequence[Load], spans_per_s: float | None) -> list[float]:
    if not spans_per_s:
        return [0.0] * len(loads)
    due, at = [], 0.0
    for load in loads:
        due.append(at)
        at += load.spans / spans_per_s
    return due


def _spans(request: Any) -> Iterator[Any]:
    return (s for r in request.resource_spans for c in r.scope_spans for s in c.spans)


def _refresh(request: Any, chance: random.Random, offset_ns: int) -> None:
    salt = chance.getrandbits(64).to_bytes(8, "big")
    for span in _spans(request):
        span.trace_id = bytes(a ^ b for a, b in zip(span.trace_id, salt + salt, strict=True))
        span.span_id = bytes(a ^ b for a, b in zip(span.span_id, salt, strict=True))
        if span.parent_span_id:
            span.parent_span_id = bytes(
                a ^ b for a, b in zip(span.parent_span_id, salt, strict=True)
            )
        span.start_time_unix_nano += offset_ns
        span.end_time_unix_nano += offset_ns


def _make_novel(request: Any, chance: random.Random, share: float) -> None:
    for span in _spans(request):
        if chance.random() < share:
            span.name = f"{span.name} {chance.getrandbits(32):08x}"
        for attribute in span.attributes:
            if attribute.value.HasField("string_value") and chance.random() < share:
                attribute.value.string_value += f"-{chance.getrandbits(32):08x}"
