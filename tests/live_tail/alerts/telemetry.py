"""Invented exports of TTA's shape, as an SDK or our scraper sends them."""

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from live_tail.alerts.trials.backtest import Body

START = 1_795_470_000.0
_ids = iter(range(1, 10_000_000))


def spans(at: float, component: str, *made: Span) -> Body:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = component
    resource.scope_spans.add().spans.extend(made)
    return Body("spans", request.SerializeToString(), at + 1)


def span(
    at: float,
    name: str,
    kind: int = Span.SPAN_KIND_SERVER,
    *,
    error: str = "",
    ms: float = 10,
    **attributes: str | int,
) -> Span:
    number = next(_ids)
    made = Span(
        trace_id=number.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        name=name,
        kind=kind,
        start_time_unix_nano=int(at * 1e9),
        end_time_unix_nano=int(at * 1e9 + ms * 1e6),
    )
    for key, value in attributes.items():
        target = made.attributes.add(key=key.replace("__", ".")).value
        if isinstance(value, int):
            target.int_value = value
        else:
            target.string_value = value
    if error:
        made.status.code = Status.STATUS_CODE_ERROR
        event = made.events.add(name="exception", time_unix_nano=int(at * 1e9))
        event.attributes.add(key="exception.type").value.string_value = error
    elif attributes.get("http__status_code", 0) >= 500:
        made.status.code = Status.STATUS_CODE_ERROR
    return made


def redis(at: float, command: str, *, error: str = "") -> Span:
    return span(
        at, command, Span.SPAN_KIND_CLIENT, error=error, db__system="redis",
        net__peer__name="127.0.0.1", net__peer__port=6379,
    )  # fmt: skip


def request(at: float, route: str, status: int = 200) -> Span:
    return span(at, f"GET {route}", http__method="GET", http__route=route, http__status_code=status)


def service_up(at: float, service: str, value: float, component: str = "health-check") -> Body:
    labels = {"service": service, "environment": "staging"}
    return gauge(at, "tta_service_up", value, component, labels)


def gauge(at: float, name: str, value: float, component: str, labels: dict[str, str]) -> Body:
    request, metric = _metric(component, name)
    _add(metric.gauge.data_points.add(time_unix_nano=int(at * 1e9), as_double=value), labels)
    return Body("metric_points", request.SerializeToString(), at + 1)


def counted(
    at: float, metric: str, *series: tuple[dict[str, str], int], is_delta: bool, component: str
) -> Body:
    """A counter's export: (attributes, value) of each series; deltas since the export before."""
    request, made = _metric(component, metric)
    made.sum.aggregation_temporality = 1 if is_delta else 2
    made.sum.is_monotonic = True
    for attributes, value in series:
        point = made.sum.data_points.add(time_unix_nano=int(at * 1e9), as_int=value)
        _add(point, attributes)
    return Body("metric_points", request.SerializeToString(), at + 1)


def durations(
    at: float, metric: str, *series: tuple[dict[str, str], int], is_delta: bool, component: str
) -> Body:
    """A histogram's export: (attributes, count) of each series, all of 10 ms."""
    request, made = _metric(component, metric)
    made.histogram.aggregation_temporality = 1 if is_delta else 2
    for attributes, count in series:
        point = made.histogram.data_points.add(
            time_unix_nano=int(at * 1e9), count=count, sum=count * 0.01
        )
        point.explicit_bounds.extend([0.1, 1.0])
        point.bucket_counts.extend([count, 0, 0])
        _add(point, attributes)
    return Body("metric_points", request.SerializeToString(), at + 1)


def log(at: float, component: str, text: str, severity: int = 17, **attributes: str) -> Body:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = component
    record = resource.scope_logs.add().log_records.add(
        time_unix_nano=int(at * 1e9), severity_number=severity
    )
    record.body.string_value = text
    _add(record, {key.replace("__", "."): value for key, value in attributes.items()})
    return Body("logs", request.SerializeToString(), at + 1)


def _metric(component: str, name: str) -> tuple[ExportMetricsServiceRequest, Metric]:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = component
    return request, resource.scope_metrics.add().metrics.add(name=name)


def _add(holder: Any, attributes: dict[str, str]) -> None:
    for key, text in attributes.items():
        holder.attributes.add(key=key).value.string_value = text


def every(seconds: float, until: float) -> Iterator[tuple[float, bool]]:
    """(time, whether Redis is down) from START; it is down from 120 s to 180 s."""
    at = 0.0
    while at < until:
        yield START + at, 120 <= at < 180
        at += seconds
