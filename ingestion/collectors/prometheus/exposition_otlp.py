"""The samples of an exposition as OTLP metrics.

Here: each Prometheus type as its OTLP kind, start times, exemplars, and what a series needs to be one.
Not here: reading (`exposition`). Source: OpenTelemetry "Prometheus and OpenMetrics compatibility".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Metric,
)

from ingestion.collectors.prometheus.exposition_lines import Labels, Sample
from ingestion.collectors.prometheus.families import Exposition, Family
from ingestion.collectors.prometheus.otlp_points import (
    Parts,
    Times,
    exponential_point,
    histogram_point,
    number_point,
    summary_point,
)


@dataclass(frozen=True)
class ScrapeTime:
    """When this scrape and the one before it happened, Unix nanoseconds."""

    at_ns: int
    previous_ns: int | None


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
            times = Times(at_ns, min(start_ns, at_ns), is_delta, time.previous_ns or 0)
            metrics += _metrics(family, labels, samples, times)
    return metrics


def _process_start_ns(families: Iterable[Family]) -> int:
    for family in families:
        if family.name == "process_start_time_seconds" and family.samples:
            value = family.samples[0].value
            return round(value * 1e9) if 0 < value < 1e10 else 0
    return 0


def _metrics(
    family: Family, labels: Labels, samples: list[Sample], times: Times
) -> Iterator[Metric]:
    parts = Parts(family.name, [s for s in samples if s.native is None])
    if family.type == "counter":
        for sample in parts.samples:
            metric = Metric(name=sample.name, unit=family.unit)
            metric.sum.data_points.append(number_point(sample, times))
            metric.sum.is_monotonic = True
            metric.sum.aggregation_temporality = times.temporality
            yield metric
    elif family.type == "histogram" and parts.counts():
        metric = Metric(name=family.name, unit=family.unit)
        metric.histogram.data_points.append(histogram_point(parts, labels, times))
        metric.histogram.aggregation_temporality = times.temporality
        yield metric
    elif family.type == "summary" and parts.value("_count") is not None:
        metric = Metric(name=family.name, unit=family.unit)
        metric.summary.data_points.append(summary_point(parts, labels, times))
        yield metric
    else:
        yield from _gauges(family, parts.samples, times)
        yield from _native(family, labels, samples, times)


def _gauges(family: Family, samples: list[Sample], times: Times) -> Iterator[Metric]:
    """What counts nothing, each sample under its own name: parts of a histogram without a count too."""
    level = Times(times.at_ns, 0, False, times.previous_ns)
    for sample in samples:
        metric = Metric(name=sample.name, unit=family.unit)
        metric.gauge.data_points.append(number_point(sample, level))
        yield metric


def _native(
    family: Family, labels: Labels, samples: list[Sample], times: Times
) -> Iterator[Metric]:
    for sample in samples:
        if sample.native is None:
            continue
        metric = Metric(name=family.name, unit=family.unit)
        metric.exponential_histogram.data_points.append(exponential_point(sample, labels, times))
        metric.exponential_histogram.aggregation_temporality = times.temporality
        yield metric
