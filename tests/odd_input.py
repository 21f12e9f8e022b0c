"""Everything odd that OTLP lets a sender say, for stages that must not stop at it."""

import math

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.ingestion.lake.test_poison import HOUR_NS, put
from tests.ingestion.receivers.test_receivers import NOW_NS, span_request

ODD_NUMBERS = ("-5", "9223372036854775807", "1e300", "-1e300", "nan", "inf", "-inf", "99999999999999999999", "many", "")  # fmt: skip
_COUNTED = (
    "gen_ai.usage.input_tokens gen_ai.usage.output_tokens gen_ai.usage.cache_read.input_tokens"
    " gen_ai.usage.reasoning.output_tokens gen_ai.response.time_to_first_chunk"
    " http.response.status_code db.response.returned_rows db.response.bytes"
    " tta.websocket.messages.received tta.websocket.bytes.sent tta.websocket.close_code"
).split()


def odd_spans() -> ExportTraceServiceRequest:
    """Spans of every kind that marts know, with numbers that no call can have."""
    request = span_request(service="odd-sender")
    spans = request.resource_spans[0].scope_spans[0].spans
    kinds = {
        "chat gpt-4o": ("gen_ai.operation.name", "chat"),
        "GET /a": ("http.request.method", "GET"),
        "SELECT x": ("db.system.name", "postgresql"),
        "tta.websocket.connection": ("url.scheme", "ws"),
    }
    for name, kind in kinds.items():
        for number in ODD_NUMBERS:
            for end_ns in (NOW_NS - HOUR_NS, NOW_NS, NOW_NS + 5_000_000):
                span = spans.add(
                    trace_id=b"o" * 16,
                    span_id=len(spans).to_bytes(8, "big"),
                    name=name,
                    kind=len(spans),
                    start_time_unix_nano=NOW_NS,
                    end_time_unix_nano=end_ns,
                )
                put(span.attributes, kind, *((n, number) for n in _COUNTED))
    # One connection that is told twice, with another end.
    for end_ns in (NOW_NS + 1, NOW_NS + 7_000_000):
        twice = spans.add(trace_id=b"w" * 16, span_id=b"w" * 8, name="tta.websocket.connection")
        twice.start_time_unix_nano, twice.end_time_unix_nano = NOW_NS, end_ns
    return request


def odd_logs() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    put(resource.resource.attributes, ("service.name", "tta-monitor-alerts"))
    records = resource.scope_logs.add().log_records
    for severity in ("critical", "catastrophic"):
        for number in ODD_NUMBERS:
            record = records.add(time_unix_nano=NOW_NS, severity_number=-7)
            put(
                record.attributes,
                ("tta.alert.id", f"a{len(records)}"),
                ("tta.alert.event", "fired"),
                ("tta.alert.severity", severity),
                ("tta.alert.rule", "Forged"),
                ("tta.alert.pending_s", number),
                ("tta.alert.notifications", number),
            )
    records.add(time_unix_nano=NOW_NS, severity_number=2**31 - 1)
    records.add(time_unix_nano=2**63)
    return request


def odd_points() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    put(resource.resource.attributes, ("service.name", "odd-sender"))
    metrics = resource.scope_metrics.add().metrics
    gauges = (
        "process.memory.usage process.cpu.utilization system.memory.usage system.cpu.utilization"
        " db.client.connection.count db.client.connection.max"
    ).split()
    counters = "process.cpu.time system.disk.io system.network.io db.client.connection.timeouts"
    labels = (
        ("state", "used"), ("direction", "read"), ("system.memory.state", "used"),
        ("db.client.connection.state", "used"), ("disk.io.direction", "read"),
    )  # fmt: skip
    values = (-1.0, math.nan, math.inf, -math.inf, 1e308, 1e308)
    for temporality in (0, 1, 2, 77):
        for name in (*gauges, *counters.split()):
            made = metrics.add(name=name)
            kind = made.gauge if name in gauges else made.sum
            if name not in gauges:
                kind.aggregation_temporality, kind.is_monotonic = temporality, True
            for place, value in enumerate(values):
                point = kind.data_points.add(as_double=value)
                point.time_unix_nano = NOW_NS + place * 1_000_000_000
                put(point.attributes, *labels)
        waits = metrics.add(name="db.client.connection.wait_time").histogram
        waits.aggregation_temporality = temporality
        for place, count in enumerate((2**64 - 1, 0, 2**63, 5)):
            point = waits.data_points.add(count=count, sum=-1e300, explicit_bounds=[3.0, 1.0])
            point.bucket_counts.extend([2**64 - 1, 7])
            point.time_unix_nano = NOW_NS + place * 1_000_000_000
        steep = metrics.add(name="odd.steep").exponential_histogram
        steep.aggregation_temporality = temporality
        for scale in (-(2**31), 2**31 - 1, 0):
            point = steep.data_points.add(count=2**64 - 1, scale=scale, zero_threshold=math.nan)
            point.positive.offset = 2**31 - 1
            point.positive.bucket_counts.extend([2**63, 1])
            point.time_unix_nano = NOW_NS
        of_nothing = metrics.add(name="odd.summary").summary.data_points.add(count=2**64 - 1)
        of_nothing.time_unix_nano = NOW_NS
        of_nothing.quantile_values.add(quantile=math.nan, value=math.inf)
    return request


ODD = {"spans": odd_spans, "logs": odd_logs, "metric_points": odd_points}
