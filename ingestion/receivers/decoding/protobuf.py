"""Protobuf request bodies become Arrow, through ptars.

Here: the protocol's three exports, and a batch of protobuf bodies to one Arrow record batch. Not here: JSON
(`json_bodies`), decompression (`inflate`), HTTP (`http`), flattening and the gate (`flatten`).
Source: OTLP 1.x specification.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ptars
import pyarrow as pa
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

NOT_PROTOBUF = "the body is not a valid OTLP protobuf message for this signal"
NOT_JSON = "the body is not OTLP JSON for this signal; check field names and types"


class BadBody(Exception):
    """The body cannot be read; the message holds none of it and names the limit, if it is one.

    `reason` is the ledger's; `may_retry` asks for 429, `too_large` for 413, neither for 400.
    """

    def __init__(
        self,
        message: str,
        *,
        too_large: bool = False,
        reason: str = "",
        may_retry: bool = False,
    ) -> None:
        super().__init__(message)
        self.too_large, self.may_retry = too_large, may_retry
        self.reason = reason or ("body_too_large" if too_large else "unreadable_body")

    @property
    def http_status(self) -> int:
        """The status of the HTTP doors."""
        return 429 if self.may_retry else 413 if self.too_large else 400


@dataclass(frozen=True)
class Export:
    """What the protocol calls one signal."""

    signal: str
    request: type[Message]
    response: type[Message]
    rejected_field: str


EXPORTS = {
    "spans": Export(
        "spans", ExportTraceServiceRequest, ExportTraceServiceResponse, "rejected_spans"
    ),
    "logs": Export(
        "logs", ExportLogsServiceRequest, ExportLogsServiceResponse, "rejected_log_records"
    ),
    "metric_points": Export(
        "metric_points",
        ExportMetricsServiceRequest,
        ExportMetricsServiceResponse,
        "rejected_data_points",
    ),
}
_POOL = ptars.HandlerPool([e.request.DESCRIPTOR.file for e in EXPORTS.values()])  # type: ignore[attr-defined]
_HANDLERS = {name: _POOL.get_for_message(e.request.DESCRIPTOR) for name, e in EXPORTS.items()}


def to_arrow(signal: str, bodies: Sequence[bytes]) -> tuple[pa.RecordBatch, list[int], list[int]]:
    """One record batch with a row per good body, the good positions and the bad ones.

    A bad body fails a whole ptars batch, so on failure each body is tried alone.
    """
    handler = _HANDLERS[signal]
    everything = list(range(len(bodies)))
    try:
        return _decoded(handler, bodies), everything, []
    except ValueError:
        good = [i for i in everything if _is_readable(handler, bodies[i])]
        chosen = [bodies[i] for i in good]
        return _decoded(handler, chosen), good, sorted(set(everything) - set(good))


def count_items(signal: str, body: bytes) -> int:
    """Items in a readable protobuf body: for answers about bodies that are not decoded again."""
    try:
        message = EXPORTS[signal].request.FromString(body)
    except DecodeError:
        return 0
    return sum(1 for _ in _items(signal, message))


def _items(signal: str, message: Any) -> Any:
    if signal == "spans":
        return (s for r in message.resource_spans for c in r.scope_spans for s in c.spans)
    if signal == "logs":
        return (s for r in message.resource_logs for c in r.scope_logs for s in c.log_records)
    return (
        point
        for r in message.resource_metrics
        for c in r.scope_metrics
        for metric in c.metrics
        for point in getattr(metric, metric.WhichOneof("data") or "gauge").data_points
    )


def _decoded(handler: Any, bodies: Sequence[bytes]) -> pa.RecordBatch:
    try:
        batch = handler.array_to_record_batch(pa.array(bodies, pa.binary()))
    except BaseException as error:
        # What panics in Rust is no Exception, and would end the thread that commits for everybody.
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("the decoder gave up") from None
    # Protobuf strings must be UTF-8; ptars leaves that check to us.
    batch.validate(full=True)
    return batch


def _is_readable(handler: Any, body: bytes) -> bool:
    try:
        _decoded(handler, [body])
    except ValueError:
        return False
    return True
