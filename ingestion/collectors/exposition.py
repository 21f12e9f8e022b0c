"""Prometheus and OpenMetrics expositions become OTLP metrics.

Here: reading what services really answer, with bad lines skipped and counted, JSON-quoted text
unwrapped, `_created` as start time, and each Prometheus type as its OTLP kind. Not here: fetching
(`scraper`). Source: exposition formats 0.0.4 and OpenMetrics 1.0; OpenTelemetry "Prometheus and
OpenMetrics compatibility".
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
_Labels = tuple[tuple[str, str], ...]


class NotAnExposition(Exception):
    """The answer holds no metric; the message says what to scrape instead."""


@dataclass(frozen=True)
class Exposition:
    """What one scrape answered."""

    families: tuple[Family, ...]
    is_json_quoted: bool
    bad_lines: int


@dataclass(frozen=True)
class ScrapeTime:
    """When this scrape and the one before it happened, Unix nanoseconds."""

    at_ns: int
    previous_ns: int | None


def read_exposition(body: str, content_type: str) -> Exposition:
    """Parse an answer; raises NotAnExposition when no line of it is a sample."""
    text, is_quoted = _unquoted(body)
    if content_type.startswith("application/openmetrics-text"):
        try:
            return Exposition(tuple(parse_openmetrics(text)), is_quoted, 0)
        except ValueError:
            text = text.replace("# EOF", "")
    try:
        families, bad = tuple(parse_text(text)), 0
    except ValueError:
        text, bad = _without_bad_lines(text)
        families = tuple(parse_text(text))
    if not any(family.samples for family in families):
        raise NotAnExposition(
            "the answer holds no Prometheus sample; correct metrics_path of the job"
        )
    return Exposition(families, is_quoted, bad)


def to_otlp(exposition: Exposition, time: ScrapeTime) -> list[Metric]:
    """The OTLP metrics of an exposition.

    TTA's JSON-quoted endpoint builds a registry per scrape, so its counters hold what happened
    since the scrape before: when `_created` is not older than that, points become deltas.
    """
    created = _created_times(exposition.families)
    started = _process_start_ns(exposition.families)
    metrics: list[Metric] = []
    for family in exposition.families:
        if _is_created_family(family.name, exposition.families):
            continue
        for labels, samples in _by_labels(family):
            created_ns = created.get((family.name, labels))
            is_delta = exposition.is_json_quoted and (
                created_ns is None or time.previous_ns is None or created_ns > time.previous_ns
            )
            start_ns = created_ns or (time.previous_ns if is_delta else started) or 0
            metrics.append(_metric(family, labels, samples, _Times(time.at_ns, start_ns, is_delta)))
    return metrics


@dataclass(frozen=True)
class _Times:
    at_ns: int
    start_ns: int
    is_delta: bool

    @property
    def temporality(self) -> AggregationTemporality.ValueType:
        return _DELTA if self.is_delta else _CUMULATIVE


def _unquoted(body: str) -> tuple[str, bool]:
    stripped = body.strip()
    if not (stripped.startswith('"') and stripped.endswith('"')):
        return body, False
    try:
        text = json.loads(stripped)
    except ValueError:
        return body, False
    return str(text), True


def _without_bad_lines(text: str) -> tuple[str, int]:
    kept: list[str] = []
    bad = 0
    for line in text.split("\n"):  # and at nothing else: labels may hold U+2028 and its like
        try:
            list(parse_text(line + "\n"))
            kept.append(line)
        except ValueError:
            bad += 1
    return "\n".join(kept) + "\n", bad


def _by_labels(family: Family) -> Iterator[tuple[_Labels, list[Sample]]]:
    """The samples of each series; a histogram's or summary's parts belong together."""
    groups: dict[_Labels, list[Sample]] = {}
    for sample in family.samples:
        groups.setdefault(_series(family, sample), []).append(sample)
    yield from groups.items()


def _series(family: Family, sample: Sample) -> _Labels:
    inner = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile"}.get(family.type)
    return tuple(sorted((k, v) for k, v in sample.labels.items() if k != inner))


def _is_created_family(name: str, families: Iterable[Family]) -> bool:
    """Text format 0.0.4 shows `x_created` as a gauge of its own beside counter `x`."""
    stem = name.removesuffix("_created")
    return stem != name and any(
        f.name == stem and f.type in {"counter", "histogram", "summary"} for f in families
    )


def _created_times(families: Iterable[Family]) -> dict[tuple[str, _Labels], int]:
    found: dict[tuple[str, _Labels], int] = {}
    for family in families:
        for sample in family.samples:
            if sample.name.endswith("_created") and math.isfinite(sample.value):
                stem = sample.name.removesuffix("_created")
                found[stem, _series(family, sample)] = round(sample.value * 1e9)
    return found


def _process_start_ns(families: Iterable[Family]) -> int:
    for family in families:
        if family.name == "process_start_time_seconds" and family.samples:
            return round(family.samples[0].value * 1e9)
    return 0


def _metric(family: Family, labels: _Labels, samples: list[Sample], times: _Times) -> Metric:
    metric = Metric(name=family.name, unit=family.unit)
    if family.type == "counter":
        metric.name = next((s.name for s in samples if s.name.endswith("_total")), family.name)
        values = [s for s in samples if not s.name.endswith("_created")]
        metric.sum.data_points.extend(_number(s, labels, times) for s in values)
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = times.temporality
    elif family.type == "histogram":
        metric.histogram.data_points.append(_histogram(samples, labels, times))
        metric.histogram.aggregation_temporality = times.temporality
    elif family.type == "summary":
        metric.summary.data_points.append(_summary(samples, labels, times))
    else:
        if len(samples) == 1:
            metric.name = samples[0].name
        metric.gauge.data_points.extend(
            _number(s, tuple(sorted(s.labels.items())), _Times(times.at_ns, 0, False))
            for s in samples
        )
    return metric


def _number(sample: Sample, labels: _Labels, times: _Times) -> NumberDataPoint:
    point = NumberDataPoint(
        attributes=_attributes(labels),
        time_unix_nano=_time_ns(sample, times),
        start_time_unix_nano=times.start_ns,
    )
    if math.isnan(sample.value):
        point.flags = _NO_VALUE
    else:
        point.as_double = sample.value
    return point


def _histogram(samples: list[Sample], labels: _Labels, times: _Times) -> HistogramDataPoint:
    buckets = sorted(
        (float(s.labels["le"]), s.value) for s in samples if s.name.endswith("_bucket")
    )
    count = _part(samples, "_count")
    if not buckets or buckets[-1][0] != math.inf:
        buckets.append((math.inf, count or (buckets[-1][1] if buckets else 0)))
    below = [0.0, *(value for _, value in buckets[:-1])]
    point = HistogramDataPoint(
        attributes=_attributes(labels),
        time_unix_nano=_time_ns(samples[0], times),
        start_time_unix_nano=times.start_ns,
        count=round(buckets[-1][1]),
        explicit_bounds=[bound for bound, _ in buckets[:-1]],
        # A scrape during an update may show a bucket below its neighbour; counts stay ≥ 0.
        bucket_counts=[
            max(round(value - low), 0) for (_, value), low in zip(buckets, below, strict=True)
        ],
    )
    total = _part(samples, "_sum")
    if total is not None and math.isfinite(total):
        point.sum = total
    return point


def _summary(samples: list[Sample], labels: _Labels, times: _Times) -> SummaryDataPoint:
    point = SummaryDataPoint(
        attributes=_attributes(labels),
        time_unix_nano=_time_ns(samples[0], times),
        start_time_unix_nano=times.start_ns,
        count=round(_part(samples, "_count") or 0),
        sum=_part(samples, "_sum") or 0.0,
    )
    for sample in samples:
        if "quantile" in sample.labels and not math.isnan(sample.value):
            point.quantile_values.add(quantile=float(sample.labels["quantile"]), value=sample.value)
    return point


def _part(samples: list[Sample], suffix: str) -> float | None:
    found = next((s.value for s in samples if s.name.endswith(suffix)), None)
    return None if found is None or math.isnan(found) else found


def _time_ns(sample: Sample, times: _Times) -> int:
    return round(float(sample.timestamp) * 1e9) if sample.timestamp else times.at_ns


def _attributes(labels: _Labels) -> list[KeyValue]:
    return [KeyValue(key=name, value=AnyValue(string_value=value)) for name, value in labels]
