"""Samples of one series as OTLP data points.

Here: one point of each kind, with exemplars and attributes. Not here: which kind a family becomes and
since when it counts (`exposition_otlp`). Times are Unix nanoseconds. Source: OTLP 1.x, metrics.proto;
OpenTelemetry, "Prometheus and OpenMetrics Compatibility".
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    NumberDataPoint,
    SummaryDataPoint,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar as OtlpExemplar

from ingestion.collectors.prometheus.exposition_lines import Exemplar, Labels, Sample, number

_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


@dataclass(frozen=True)
class Times:
    """When a series was read and since when it counts."""

    at_ns: int
    start_ns: int
    is_delta: bool
    previous_ns: int

    @property
    def temporality(self) -> AggregationTemporality.ValueType:
        """Deltas since the scrape before, or sums since the start."""
        return _DELTA if self.is_delta else _CUMULATIVE


@dataclass(frozen=True)
class Parts:
    """The samples of one series of a histogram or summary, found by suffix."""

    family: str
    samples: list[Sample]

    def all(self, suffix: str) -> list[Sample]:
        """The samples under one suffix, empty for the name itself."""
        return [s for s in self.samples if s.name == f"{self.family}{suffix}"]

    def value(self, suffix: str) -> float | None:
        """The value under a suffix; None where there is none or it is NaN."""
        found = next((s.value for s in self.all(suffix)), None)
        return None if found is None or math.isnan(found) else found

    def counts(self) -> bool:
        """Whether it says how much it counted: without that it is no histogram."""
        return bool(self.all("_bucket") or self.all("_count"))


def number_point(sample: Sample, times: Times) -> NumberDataPoint:
    """A gauge\'s or sum\'s point; NaN becomes "no recorded value"."""
    point = NumberDataPoint(
        attributes=_attributes(sample.labels),
        time_unix_nano=times.at_ns,
        start_time_unix_nano=times.start_ns,
        exemplars=_exemplars([sample], times),
    )
    if math.isnan(sample.value):
        point.flags = _NO_VALUE
    else:
        point.as_double = sample.value
    return point


def histogram_point(parts: Parts, labels: Labels, times: Times) -> HistogramDataPoint:
    """Cumulative buckets by `le` as counts of their own, the last one without an upper bound."""
    buckets = sorted((number(s.label("le") or ""), s.value) for s in parts.all("_bucket"))
    count = parts.value("_count")
    if not buckets or buckets[-1][0] != math.inf:
        buckets.append((math.inf, count or (buckets[-1][1] if buckets else 0)))
    counts, below = [], 0
    for _, value in buckets:
        # A scrape during an update may show a bucket below its neighbour; counts stay ≥ 0.
        counts.append(max(round(value) - below, 0))
        below = max(round(value), below)
    point = HistogramDataPoint(
        attributes=_attributes(labels),
        time_unix_nano=times.at_ns,
        start_time_unix_nano=times.start_ns,
        count=below,
        explicit_bounds=[bound for bound, _ in buckets[:-1]],
        bucket_counts=counts,
        exemplars=_exemplars(parts.samples, times),
    )
    total = parts.value("_sum")
    if total is not None and math.isfinite(total):
        point.sum = total
    return point


def exponential_point(
    sample: Sample, labels: Labels, times: Times
) -> ExponentialHistogramDataPoint:
    """A native histogram's point; the sample must have one."""
    native = sample.native
    assert native is not None  # noqa: S101 - for the type checker; the caller chose it by this
    point = ExponentialHistogramDataPoint(
        attributes=_attributes(labels),
        time_unix_nano=times.at_ns,
        start_time_unix_nano=times.start_ns,
        count=native.count,
        scale=native.scale,
        zero_count=native.zero_count,
        zero_threshold=native.zero_threshold,
    )
    if math.isfinite(native.total):
        point.sum = native.total
    point.positive.offset, counts = native.positive
    point.positive.bucket_counts.extend(counts)
    point.negative.offset, counts = native.negative
    point.negative.bucket_counts.extend(counts)
    return point


def summary_point(parts: Parts, labels: Labels, times: Times) -> SummaryDataPoint:
    """Count, sum and the quantiles that have a value."""
    point = SummaryDataPoint(
        attributes=_attributes(labels),
        time_unix_nano=times.at_ns,
        start_time_unix_nano=times.start_ns,
        count=round(parts.value("_count") or 0),
        sum=parts.value("_sum") or 0.0,
    )
    for sample in parts.all(""):
        quantile = sample.label("quantile")
        if quantile is not None and not math.isnan(sample.value):
            point.quantile_values.add(quantile=number(quantile), value=sample.value)
    return point


def _exemplars(samples: list[Sample], times: Times) -> Iterator[OtlpExemplar]:
    """Those that were not there at the scrape before."""
    for sample in samples:
        one = sample.exemplar
        if one and math.isfinite(one.value) and (one.at_ns or times.at_ns) > times.previous_ns:
            yield _exemplar(one, times)


def _exemplar(one: Exemplar, times: Times) -> OtlpExemplar:
    made = OtlpExemplar(time_unix_nano=one.at_ns or times.at_ns, as_double=one.value)
    rest = []
    for name, value in one.labels:
        if name == "trace_id" and (identity := _identity(value, 16)):
            made.trace_id = identity
        elif name == "span_id" and (identity := _identity(value, 8)):
            made.span_id = identity
        else:
            rest.append((name, value))
    made.filtered_attributes.extend(_attributes(tuple(rest)))
    return made


def _identity(text: str, size: int) -> bytes:
    try:
        identity = bytes.fromhex(text)
    except ValueError:
        return b""
    return identity if len(identity) == size else b""


def _attributes(labels: Labels) -> list[KeyValue]:
    return [KeyValue(key=name, value=AnyValue(string_value=value)) for name, value in labels]
