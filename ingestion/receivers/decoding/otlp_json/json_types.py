"""OTLP/JSON as typed objects: what `json_columns` turns into columns.

Here: the messages of the three signals with the fields that are kept, and which of their fields are of
which kind. Not here: bytes (`json_bodies`) and Arrow (`json_columns`). Source: OTLP 1.x and protobuf's
JSON mapping: lowerCamelCase keys, 64-bit numbers as text or numbers, null for what is not set, names or
numbers for enumerations. Unknown fields are skipped without an object being made of them.
"""

from typing import Any

import msgspec

Whole = int | float | str | None
"""A whole number: protobuf's JSON allows `5`, `"5"` and `5.0`."""
Real = float | str | None
"""A number or `"NaN"`, `"Infinity"`, `"-Infinity"`."""
Text = str | None


class _Message(msgspec.Struct, rename="camel", gc=False):
    """A message; the collector never has to look at one, because none refers back."""


class ArrayValue(_Message):
    """OTLP's `ArrayValue`."""

    values: "list[AnyValue] | None" = None


class AnyValue(_Message):
    """OTLP's `AnyValue`."""

    string_value: Text = None
    bool_value: bool | None = None
    int_value: Whole = None
    double_value: Real = None
    array_value: ArrayValue | None = None
    kvlist_value: dict[str, Any] | None = None
    bytes_value: Text = None


class KeyValue(_Message):
    """OTLP's `KeyValue`."""

    key: Text = None
    value: AnyValue | None = None


Attributes = list[KeyValue] | None


class Resource(_Message):
    """OTLP's `Resource`."""

    attributes: Attributes = None


class Scope(_Message):
    """OTLP's `InstrumentationScope`."""

    name: Text = None
    version: Text = None


class Event(_Message):
    """OTLP's `Span.Event`."""

    time_unix_nano: Whole = None
    name: Text = None
    attributes: Attributes = None


class Link(_Message):
    """OTLP's `Span.Link`."""

    trace_id: Text = None
    span_id: Text = None
    attributes: Attributes = None


class Status(_Message):
    """OTLP's `Status`."""

    message: Text = None
    code: Whole = None


class Span(_Message):
    """OTLP's `Span`."""

    trace_id: Text = None
    span_id: Text = None
    parent_span_id: Text = None
    name: Text = None
    kind: Whole = None
    start_time_unix_nano: Whole = None
    end_time_unix_nano: Whole = None
    attributes: Attributes = None
    events: list[Event] | None = None
    links: list[Link] | None = None
    status: Status | None = None


class LogRecord(_Message):
    """OTLP's `LogRecord`."""

    time_unix_nano: Whole = None
    observed_time_unix_nano: Whole = None
    severity_number: Whole = None
    severity_text: Text = None
    event_name: Text = None
    body: AnyValue | None = None
    trace_id: Text = None
    span_id: Text = None
    attributes: Attributes = None


class Exemplar(_Message):
    """OTLP's `Exemplar`."""

    time_unix_nano: Whole = None
    as_double: Real = None
    as_int: Whole = None
    trace_id: Text = None
    span_id: Text = None


class NumberPoint(_Message):
    """OTLP's `NumberDataPoint`."""

    start_time_unix_nano: Whole = None
    time_unix_nano: Whole = None
    as_double: Real = None
    as_int: Whole = None
    attributes: Attributes = None
    flags: Whole = None
    exemplars: list[Exemplar] | None = None


class HistogramPoint(_Message):
    """OTLP's `HistogramDataPoint`."""

    start_time_unix_nano: Whole = None
    time_unix_nano: Whole = None
    count: Whole = None
    sum: Real = None
    min: Real = None
    max: Real = None
    bucket_counts: list[Whole] | None = None
    explicit_bounds: list[Real] | None = None
    attributes: Attributes = None
    flags: Whole = None
    exemplars: list[Exemplar] | None = None


class Buckets(_Message):
    """OTLP's `ExponentialHistogramDataPoint.Buckets`."""

    offset: Whole = None
    bucket_counts: list[Whole] | None = None


class ExponentialPoint(_Message):
    """OTLP's `ExponentialHistogramDataPoint`."""

    start_time_unix_nano: Whole = None
    time_unix_nano: Whole = None
    count: Whole = None
    sum: Real = None
    min: Real = None
    max: Real = None
    scale: Whole = None
    zero_count: Whole = None
    zero_threshold: Real = None
    positive: Buckets | None = None
    negative: Buckets | None = None
    attributes: Attributes = None
    flags: Whole = None
    exemplars: list[Exemplar] | None = None


class Quantile(_Message):
    """OTLP's `SummaryDataPoint.ValueAtQuantile`."""

    quantile: Real = None
    value: Real = None


class SummaryPoint(_Message):
    """OTLP's `SummaryDataPoint`."""

    start_time_unix_nano: Whole = None
    time_unix_nano: Whole = None
    count: Whole = None
    sum: Real = None
    quantile_values: list[Quantile] | None = None
    attributes: Attributes = None
    flags: Whole = None


class Gauge(_Message):
    """OTLP's `Gauge`."""

    data_points: list[NumberPoint] | None = None


class Sum(_Message):
    """OTLP's `Sum`."""

    data_points: list[NumberPoint] | None = None
    aggregation_temporality: Whole = None
    is_monotonic: bool | None = None


class Histogram(_Message):
    """OTLP's `Histogram`."""

    data_points: list[HistogramPoint] | None = None
    aggregation_temporality: Whole = None


class ExponentialHistogram(_Message):
    """OTLP's `ExponentialHistogram`."""

    data_points: list[ExponentialPoint] | None = None
    aggregation_temporality: Whole = None


class Summary(_Message):
    """OTLP's `Summary`."""

    data_points: list[SummaryPoint] | None = None


class Metric(_Message):
    """OTLP's `Metric`."""

    name: Text = None
    unit: Text = None
    gauge: Gauge | None = None
    sum: Sum | None = None
    histogram: Histogram | None = None
    exponential_histogram: ExponentialHistogram | None = None
    summary: Summary | None = None


class ScopeSpans(_Message):
    """OTLP's `ScopeSpans`."""

    scope: Scope | None = None
    spans: list[Span] | None = None


class ResourceSpans(_Message):
    """OTLP's `ResourceSpans`."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class TraceExport(_Message):
    """OTLP's `ExportTraceServiceRequest`."""

    resource_spans: list[ResourceSpans] | None = None


class ScopeLogs(_Message):
    """OTLP's `ScopeLogs`."""

    scope: Scope | None = None
    log_records: list[LogRecord] | None = None


class ResourceLogs(_Message):
    """OTLP's `ResourceLogs`."""

    resource: Resource | None = None
    scope_logs: list[ScopeLogs] | None = None


class LogsExport(_Message):
    """OTLP's `ExportLogsServiceRequest`."""

    resource_logs: list[ResourceLogs] | None = None


class ScopeMetrics(_Message):
    """OTLP's `ScopeMetrics`."""

    scope: Scope | None = None
    metrics: list[Metric] | None = None


class ResourceMetrics(_Message):
    """OTLP's `ResourceMetrics`."""

    resource: Resource | None = None
    scope_metrics: list[ScopeMetrics] | None = None


class MetricsExport(_Message):
    """OTLP's `ExportMetricsServiceRequest`."""

    resource_metrics: list[ResourceMetrics] | None = None


EXPORTS: dict[str, type[_Message]] = {
    "spans": TraceExport,
    "logs": LogsExport,
    "metric_points": MetricsExport,
}
