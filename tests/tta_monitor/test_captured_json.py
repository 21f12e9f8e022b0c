"""Captured OTLP/JSON becomes the protobuf that says the same."""

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.receivers.decoding.protobuf import BadBody
from tta_monitor.traffic.captured_json import json_to_protobuf


def export(**span: object) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def test_ids_are_hexadecimal_and_half_a_character_is_replaced() -> None:
    body = export(traceId="ab" * 16, spanId="cd" * 8, name="GET \ud83d", unheardOf=1)
    made = ExportTraceServiceRequest.FromString(json_to_protobuf("spans", body))
    (span,) = made.resource_spans[0].scope_spans[0].spans
    assert (span.trace_id, span.span_id) == (b"\xab" * 16, b"\xcd" * 8)
    assert span.name == "GET \ufffd"


@pytest.mark.parametrize(
    "body", [b"[1]", b"{", export(traceId="xy"), export(kind={}), b'{"a":' * 99 + b"1" + b"}" * 99]
)
def test_what_is_no_export_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        json_to_protobuf("spans", body)
