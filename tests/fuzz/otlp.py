"""OTLP exports of all three signals with whatever the protocol lets a sender say, as protobuf and as JSON.

Here: requests made from a source of chance, which Hypothesis can be as well (`st.randoms()`). Not here:
spoiling bytes (`mutations`), doors (`doors`).
"""

from collections.abc import Callable
from random import Random
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.fuzz.data_points import DOUBLES, INTS, POINTS
from tests.fuzz.mutations import ODD_NUMBERS, ODD_WORDS

REQUESTS: dict[str, type[Message]] = {
    "spans": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metric_points": ExportMetricsServiceRequest,
}
_SERVICES = ("player-api", "narrative", "ai", "a b", "", "Ünï", "odd\nname", "tta-monitor-alerts")
_KEYS = (
    "http.route http.request.method http.response.status_code url.full gen_ai.operation.name gen_ai.request.model"
    " gen_ai.usage.input_tokens gen_ai.usage.output_tokens db.system.name db.query.text db.operation.name user.id"
    " session.id exception.type exception.message exception.stacktrace tta.alert.id tta.alert.event le quantile"
    " tta.websocket.close_code service.name host.name code.function error.type never.heard.of"
).split()
_NAMES = (
    "GET /a",
    "chat gpt-4o",
    "SELECT x",
    "tta.websocket.connection",
    "x" * 300,
    "",
    "a\0b",
    "{id}",
)
_METRICS = (
    "process.memory.usage", "http.server.request.duration", "x_total", "", "naïve", "a" * 300,
    "db.client.connection.count", "up",
)  # fmt: skip
_DAY_NS = 86_400_000_000_000
_YEAR_9999_NS = 2**63 - 1


def request(chance: Random, signal: str, now_ns: int) -> Message:
    """An export of some items of few resources; each part may be missing, odd or there twice."""
    made = REQUESTS[signal]()
    resources = getattr(made, FIELDS[signal][0])
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        resource = resources.add()
        if chance.random() < 0.9:
            _attribute(resource.resource, "service.name", chance.choice(_SERVICES))
        attributes(chance, resource.resource, most=3)
        for _ in range(chance.choice((0, 1, 1, 2))):
            scope = getattr(resource, FIELDS[signal][1]).add()
            if chance.random() < 0.5:
                scope.scope.name = chance.choice(("lib", "", *ODD_WORDS[:6]))
            for _ in range(chance.choice((0, 1, 2, 5))):
                _ITEMS[signal](chance, scope, now_ns)
    return made


def attributes(chance: Random, holder: Any, most: int = 5) -> None:
    """Attributes of any kind; one key in eight comes twice."""
    for _ in range(chance.randrange(most + 1)):
        key = chance.choice(_KEYS) if chance.random() < 0.85 else chance.choice(ODD_WORDS[:12])
        for _ in range(1 if chance.random() < 0.88 else 2):
            value(chance, holder.attributes.add(key=key).value)


def value(chance: Random, into: AnyValue, depth: int = 0) -> None:
    """A value of one of the seven kinds, or none; lists and maps nest up to thirty deep."""
    kind = chance.randrange(9 if depth < 30 else 7)
    if kind < 6:
        _plain_value(chance, into, kind)
    elif kind == 6:
        into.string_value = chance.choice(
            ("GET", "POST", "chat", "200", "/a/b", "gpt-4o", "postgresql")
        )
    elif kind == 7:
        into.array_value.SetInParent()
        for _ in range(chance.choice((0, 1, 1, 2))):
            value(chance, into.array_value.values.add(), depth + 1)
    else:
        into.kvlist_value.SetInParent()
        for _ in range(chance.choice((0, 1, 1, 2))):
            inner = into.kvlist_value.values.add(key=chance.choice(_KEYS))
            value(chance, inner.value, depth + 1)


def _plain_value(chance: Random, into: AnyValue, kind: int) -> None:
    if kind == 0:
        into.string_value = chance.choice(ODD_WORDS)
    elif kind == 1:
        into.string_value = chance.choice(ODD_NUMBERS)
    elif kind == 2:
        into.int_value = chance.choice(INTS)
    elif kind == 3:
        into.double_value = chance.choice(DOUBLES)
    elif kind == 4:
        into.bool_value = chance.random() < 0.5
    elif chance.random() < 0.5:
        into.bytes_value = chance.randbytes(chance.randrange(20))


def time_ns(chance: Random, now_ns: int) -> int:
    """Mostly about now; else not set, the epoch, yesterday, ahead, the end of time."""
    if chance.random() < 0.75:
        return max(
            now_ns - chance.randrange(-5, 600) * 1_000_000_000 + chance.randrange(1_000_000), 0
        )
    odd = (
        0,
        1,
        999,
        now_ns - _DAY_NS,
        now_ns + 2 * _DAY_NS,
        2**32,
        _YEAR_9999_NS,
        2**64 - 1,
        4_102_444_800 * 10**9,
    )
    return chance.choice(odd)


def _span(chance: Random, scope: Any, now_ns: int) -> None:
    start_ns = time_ns(chance, now_ns)
    span = scope.spans.add(
        trace_id=_id(chance, 16),
        span_id=_id(chance, 8),
        name=chance.choice(_NAMES),
        kind=chance.choice((0, 1, 2, 3, 4, 5, 77, -1)),
        start_time_unix_nano=start_ns,
        end_time_unix_nano=min(
            max(start_ns + chance.choice((5_000_000, 0, -9, 10**15, -(10**15))), 0), 2**64 - 1
        ),
    )
    if chance.random() < 0.5:
        span.parent_span_id = _id(chance, 8)
    if chance.random() < 0.4:
        span.status.code, span.status.message = (
            chance.choice((0, 1, 2, 9)),
            chance.choice(ODD_WORDS),
        )
    attributes(chance, span)
    for _ in range(chance.choice((0, 0, 1, 3))):
        event = span.events.add(
            name=chance.choice(("exception", "", "retry")), time_unix_nano=time_ns(chance, now_ns)
        )
        attributes(chance, event)
    for _ in range(chance.choice((0, 0, 1))):
        attributes(chance, span.links.add(trace_id=_id(chance, 16), span_id=_id(chance, 8)))


def _log(chance: Random, scope: Any, now_ns: int) -> None:
    record = scope.log_records.add(
        time_unix_nano=time_ns(chance, now_ns),
        observed_time_unix_nano=time_ns(chance, now_ns),
        severity_number=chance.choice((0, 9, 17, 21, 24, 25, -3, 2**31 - 1)),
        severity_text=chance.choice(("INFO", "ERROR", "", *ODD_WORDS[:5])),
        event_name=chance.choice(("", "sentry.exception", "log.exception", "x")),
    )
    if chance.random() < 0.9:
        value(chance, record.body)
    if chance.random() < 0.4:
        record.trace_id, record.span_id = _id(chance, 16), _id(chance, 8)
    attributes(chance, record)


def _metric(chance: Random, scope: Any, now_ns: int) -> None:
    metric = scope.metrics.add(
        name=chance.choice(_METRICS), unit=chance.choice(("", "s", "By", "{x}", "\0"))
    )
    kind = chance.choice(("gauge", "sum", "histogram", "exponential_histogram", "summary", ""))
    if not kind:
        return
    data = getattr(metric, kind)
    data.SetInParent()
    if kind not in {"gauge", "summary"}:
        data.aggregation_temporality = chance.choice((0, 1, 2, 77))
    if kind == "sum":
        data.is_monotonic = chance.random() < 0.7
    for _ in range(chance.choice((0, 1, 1, 3))):
        point = data.data_points.add(
            time_unix_nano=time_ns(chance, now_ns), start_time_unix_nano=time_ns(chance, now_ns)
        )
        attributes(chance, point, most=3)
        point.flags = chance.choice((0, 0, 1, 2**32 - 1))
        POINTS[kind](chance, point)
        if kind != "summary" and chance.random() < 0.2:
            exemplar = point.exemplars.add(
                time_unix_nano=time_ns(chance, now_ns), as_double=chance.choice(DOUBLES)
            )
            exemplar.trace_id, exemplar.span_id = _id(chance, 16), _id(chance, 8)


def _id(chance: Random, width: int) -> bytes:
    """Mostly an id; else one of few (so that it repeats), none, zero or of another length."""
    kind = chance.random()
    if kind < 0.7:
        return chance.randbytes(width)
    return chance.choice((b"r" * width, b"", b"\0" * width, b"x" * (width - 1), b"x" * (width + 9)))


def _attribute(holder: Any, key: str, text: str) -> None:
    holder.attributes.add(key=key).value.string_value = text


FIELDS = {
    "spans": ("resource_spans", "scope_spans", "spans"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
    "metric_points": ("resource_metrics", "scope_metrics", "metrics"),
}
_ITEMS: dict[str, Callable[[Random, Any, int], None]] = {
    "spans": _span, "logs": _log, "metric_points": _metric,
}  # fmt: skip
