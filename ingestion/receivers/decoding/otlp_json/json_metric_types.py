"""OTLP/JSON's metrics as typed objects.

Here: the messages of a metrics export, with the fields that are kept. Not here: what all signals share, spans
and logs (`json_types`), Arrow (`json_metric_columns`). Source: OTLP 1.x, metrics.proto, and protobuf's JSON
mapping.
"""

from ingestion.receivers.decoding.otlp_json.json_types import (
    Attributes,
    Message,
    Real,
    Resource,
    Scope,
    Text,
    Whole,
)


class Exemplar(Message):
    """OTLP's `Exemplar`."""

    time_unix_nano: Whole = None
    as_double: Real = None
    as_int: Whole = None
    trace_id: Text = None
    span_id: Text = None


class NumberPoint(Message):
    """OTLP's `NumberDataPoint`."""

    start_time_unix_nano: Whole = None
    time_unix_nano: Whole = None
    as_double: Real = None
    as_int: Whole = None
    attributes: Attributes = None
    flags: Whole = None
    exemplars: list[Exemplar] | None = None


class HistogramPoint(Message):
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


class Buckets(Message):
    """OTLP's `ExponentialHistogramDataPoint.Buckets`."""

    offset: Whole = None
    bucket_counts: list[Whole] | None = None


class ExponentialPoint(Message):
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


class Quantile(Message):
    """OTLP's `SummaryDataPoint.ValueAtQuantile`."""

    quantile: Real = None
    value: Real = None


class SummaryPoint(Message):
    """OTLP's `SummaryDataPoint`."""

    start_time_unix_nano: Whole = None
    time_unix_nano: Whole = None
    count: Whole = None
    sum: Real = None
    quantile_values: list[Quantile] | None = None
    attributes: Attributes = None
    flags: Whole = None


class Gauge(Message):
    """OTLP's `Gauge`."""

    data_points: list[NumberPoint] | None = None


class Sum(Message):
    """OTLP's `Sum`."""

    data_points: list[NumberPoint] | None = None
    aggregation_temporality: Whole = None
    is_monotonic: bool | None = None


class Histogram(Message):
    """OTLP's `Histogram`."""

    data_points: list[HistogramPoint] | None = None
    aggregation_temporality: Whole = None


class ExponentialHistogram(Message):
    """OTLP's `ExponentialHistogram`."""

    data_points: list[ExponentialPoint] | None = None
    aggregation_temporality: Whole = None


class Summary(Message):
    """OTLP's `Summary`."""

    data_points: list[SummaryPoint] | None = None


class Metric(Message):
    """OTLP's `Metric`."""

    name: Text = None
    unit: Text = None
    gauge: Gauge | None = None
    sum: Sum | None = None
    histogram: Histogram | None = None
    exponential_histogram: ExponentialHistogram | None = None
    summary: Summary | None = None


class ScopeMetrics(Message):
    """OTLP's `ScopeMetrics`."""

    scope: Scope | None = None
    metrics: list[Metric] | None = None


class ResourceMetrics(Message):
    """OTLP's `ResourceMetrics`."""

    resource: Resource | None = None
    scope_metrics: list[ScopeMetrics] | None = None


class MetricsExport(Message):
    """OTLP's `ExportMetricsServiceRequest`."""

    resource_metrics: list[ResourceMetrics] | None = None
