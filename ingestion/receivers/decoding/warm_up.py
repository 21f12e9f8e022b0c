"""A first export of every signal that nobody sent, so that no sender pays for what happens once.

Here: bodies that use every kind of column, and their way through a gate that is thrown away: patterns
are compiled, kernels are found; and giving back what a start has used. Not here: the detector and its
canaries (`privacy/gate/gate_columns`).
"""

import ctypes
import gc
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from ingestion.contracts import SIGNALS
from ingestion.receivers.decoding.flatten import flatten
from ingestion.receivers.decoding.protobuf import EXPORTS, to_arrow
from privacy.gate.gate_columns import Gate

_TEXTS = (
    "Login failed for user-17 at 10.0.0.7:8080 after 31 ms: token=abcdef0123456789",
    "card 4111 1111 1111 1112, call +1 202 555 0143 or write to nobody@example.org",
    "File /srv/app/main.py was not found",
    "started",
)
_STACK = """Traceback (most recent call last):
  File "/srv/app/main.py", line 3, in run
    raise ValueError("no such key")
ValueError: no such key
"""


class _NoPseudonyms:
    def of(self, value: str, day: date) -> str:
        """Nobody's."""
        return "p_"

    def stamp(self, day: date) -> object:
        """They never change."""
        return None


def warm_up() -> None:
    """Decode and treat one body of every signal; keeps nothing."""
    gate = Gate(_NoPseudonyms())
    now_us = time.time_ns() // 1_000
    gate.begin(datetime.fromtimestamp(now_us / 1e6, UTC).date())
    for signal in SIGNALS:
        batch, _, _ = to_arrow(signal, [_body(signal, now_us * 1_000)] * 2)
        flatten(signal, batch, gate, now_us)


def give_back_memory() -> None:
    """Return to the system what was freed; with another C library than glibc only Arrow's part."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _body(signal: str, now_ns: int) -> bytes:
    request = EXPORTS[signal].request()
    if signal == "spans":
        _add_spans(request, now_ns)
    elif signal == "logs":
        _add_logs(request, now_ns)
    else:
        _add_points(request, now_ns)
    return request.SerializeToString()


def _add_spans(request: Any, now_ns: int) -> None:
    group = request.resource_spans.add()
    _describe(group.resource.attributes, {"service.name": "receiver", "host.name": "localhost"})
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "warm.up", "1.0"
    for number, text in enumerate(_TEXTS, start=1):
        span = scope.spans.add(
            trace_id=bytes([number]) * 16, span_id=bytes([number]) * 8, kind=2,
            name=f"GET /players/{number}/notes", start_time_unix_nano=now_ns,
            end_time_unix_nano=now_ns + 1,
        )  # fmt: skip
        span.status.code, span.status.message = 2, text
        _describe(
            span.attributes,
            {
                "url.full": "http://localhost:8080/players/17?key=value",
                "url.path": "/players/17/notes",
                "http.request.method": "GET",
                "http.response.status_code": 200,
                "server.address": "localhost",
                "db.query.text": "SELECT name FROM players WHERE id = 17 AND note = 'x'",
                "error.type": "ValueError",
                "session.id": "s-17",
                "user_agent.original": "curl/8.0",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.request.temperature": 0.5,
                "code.file.path": "/srv/app/main.py",
                "unknown.attribute": True,
            },
        )
        event = span.events.add(name="exception", time_unix_nano=now_ns)
        of_exception = {
            "exception.type": "ValueError",
            "exception.message": text,
            "exception.stacktrace": _STACK,
        }
        _describe(event.attributes, of_exception)
    span.links.add(trace_id=b"\x01" * 16, span_id=b"\x01" * 8)


def _add_logs(request: Any, now_ns: int) -> None:
    group = request.resource_logs.add()
    _describe(group.resource.attributes, {"service.name": "receiver"})
    records = group.scope_logs.add().log_records
    for text in _TEXTS:
        record = records.add(time_unix_nano=now_ns, severity_number=9, severity_text="INFO")
        record.body.string_value = text
        _describe(record.attributes, {"code.function.name": "main.run", "code.line.number": 3})


def _add_points(request: Any, now_ns: int) -> None:
    group = request.resource_metrics.add()
    _describe(group.resource.attributes, {"service.name": "receiver"})
    metrics = group.scope_metrics.add().metrics
    gauge = metrics.add(name="warm.up", unit="1").gauge.data_points
    total = metrics.add(name="warm.up.total", unit="1").sum
    total.is_monotonic, total.aggregation_temporality = True, 2
    times = metrics.add(name="warm.up.duration", unit="s").histogram
    times.aggregation_temporality = 2
    for points in (gauge, total.data_points):
        _describe(points.add(time_unix_nano=now_ns, as_double=1.0).attributes, {"state": "used"})
    times.data_points.add(
        time_unix_nano=now_ns, count=1, sum=0.1, bucket_counts=[1, 0], explicit_bounds=[1.0]
    )


def _describe(attributes: Any, values: Mapping[str, object]) -> None:
    for key, value in values.items():
        into = attributes.add(key=key).value
        if isinstance(value, list):
            for item in value:
                into.array_value.values.add().string_value = item
        elif isinstance(value, bool):
            into.bool_value = value
        elif isinstance(value, int):
            into.int_value = value
        elif isinstance(value, float):
            into.double_value = value
        else:
            into.string_value = str(value)
