"""The samples of an exposition as OTLP metrics.

Here: each Prometheus type as its OTLP kind, start times, exemplars, and what a series needs to be one.
Not here: reading (`exposition`). Source: OpenTelemetry "Prometheus and OpenMetrics compatibility".
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar as OtlpExemplar

from ingestion.collectors.prometheus.exposition import Exposition, Family
from ingestion.collectors.prometheus.exposition_lines import Exemplar, Labels, Sample, number

_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


@dataclass(frozen=True)
class ScrapeTime:
    """When this scrape and the one before it happened, Unix nanoseconds."""

    at_ns: int
    previous_ns: int | None


@dataclass(frozen=True)
class _Times:
    """When a series was read and since when it counts."""

    at_ns: int
    start_ns: int
    is_delta: bool
    previous_ns: int

    @property
    def temporality(self) -> AggregationTemporality.ValueType:
        return _DELTA if self.is_delta else _CUMULATIVE


@dataclass(frozen=True)
class _Parts:
    """The samples of one series of a histogram or summary, found by suffix."""

    family: str
    samples: list[Sample]

    def all(self, suffix: str) -> list[Sample]:
        return [s for s in self.samples if s.name == f"{self.family}{suffix}"]

    def value(self, suffix: str) -> float | None:
        found = next((s.value for s in self.all(suffix)), None)
        return None if found is None or math.isnan(found) else found

    def counts(self) -> bool:
        """Whether it says how much it counted: without that it is no histogram."""
        return bool(self.all("_bucket") or self.all("_count"))


def to_otlp(exposition: Exposition, time: ScrapeTime) -> list[Metric]:
    """The OTLP metrics of an exposition.

    TTA's JSON-quoted endpoint builds a registry per scrape, so its counters hold what happened
    since the scrape before: when `_created` is not older than that, points become deltas.
    """
    started = _process_start_ns(exposition.families)
    metrics: list[Metric] = []
    for family in exposition.families:
        for labels, samples in family.groups():
            created_ns = family.created.get(labels)
            is_delta = exposition.is_json_quoted and (
                created_ns is None or time.previous_ns is None or created_ns > time.previous_ns
            )
            start_ns = created_ns or (time.previous_ns if is_delta else started) or 0
            at_ns = samples[0].at_ns or time.at_ns
            # A clock that is ahead must not make a series begin after its point.
            times = _Times(at_ns, min(start_ns, at_ns), is_delta, time.previous_ns or 0)
            metrics += _metrics(family, labels, samples, times)
    return metrics


def _process_start_ns(families: Iterable[Family]) -> int:
    for family in families:
        if family.name == "process_start_time_seconds" and family.samples:
            value = family.samples[0].value
            return round(value * 1e9) if 0 < value < 1e10 else 0
    return 0


def _metrics(
    family: Family, labels: Labels, samples: list[Sample], times: _Times
) -> Iterator[Metric]:
    parts = _Parts(family.name, [s for s in samples if s.native is None])
    if family.type == "counter":
        for sample in parts.samples:
            metric = Metric(name=sample.name, unit=family.unit)
            metric.sum.data_points.append(_number(sample, times))
            metric.sum.is_monotonic = True
            metric.sum.aggregation_temporality = times.temporality
            yield metric
    elif family.type == "histogram" and parts.counts():
        metric = Metric(name=family.name, unit=family.unit)
        metric.histogram.data_points.append(_histogram(parts, labels, times))
        metric.histogram.aggregation_temporality = times.temporality
        yield metric
    elif family.type == "summary" and parts.value("_count") is not None:
        metric = Metric(name=family.name, unit=family.unit)
        metric.summary.data_points.append(_summary(parts, labels, times))
        yield metric
    else:
        yield from _gauges(family, parts.samples, times)
        yield from _native(family, labels, samples, times)


def _gauges(family: Family, samples: list[Sample], times: _Times) -> Iterator[Metric]:
    """What counts nothing, each sample under its own name: parts of a histogram without a count too."""
    level = _Times(times.at_ns, 0, False, times.previous_ns)
    for sample in samples:
        metric = Metric(name=sample.name, unit=family.unit)
        metric.gauge.data_points.append(_number(sample, level))
        yield metric


def _native(
    family: Family, labels: Labels, samples: list[Sample], times: _Times
) -> Iterator[Metric]:
    for sample in samples:
        if sample.native is None:
            continue
        metric = Metric(name=family.name, unit=family.unit)
        metric.exponential_histogram.data_points.append(_exponential(sample, labels, times))
        metric.exponential_histogram.aggregation_temporality = times.temporality
        yield metric


def _number(sample: Sample, times: _Times) -> NumberDataPoint:
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


def _histogram(parts: _Parts, labels: Labels, times: _Times) -> HistogramDataPoint:
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


def _exponential(sample: Sample, labels: Labels, times: _Times) -> ExponentialHistogramDataPoint:
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


def _summary(parts: _Parts, labels: Labels, times: _Times) -> SummaryDataPoint:
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


def _exemplars(samples: list[Sample], times: _Times) -> Iterator[OtlpExemplar]:
    """Those that were not there at the scrape before."""
    for sample in samples:
        one = sample.exemplar
        if one and math.isfinite(one.value) and (one.at_ns or times.at_ns) > times.previous_ns:
            yield _exemplar(one, times)


def _exemplar(one: Exemplar, times: _Times) -> OtlpExemplar:
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
