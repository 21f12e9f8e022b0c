"""What an exposition consists of: families of samples, and which sample may be a part of one.

Here: values, and the checks of one sample against its family's type. Not here: which family a line belongs to
(`exposition`), the grammar of a line (`exposition_lines`). Source: OpenMetrics 1.0, "Metric Types";
exposition formats 0.0.4 and 1.0.0.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ingestion.collectors.prometheus.exposition_lines import (
    BadLine,
    Labels,
    Sample,
    number,
)

_INNER = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile"}
_MAX_COUNT = 2**63


@dataclass
class Family:
    """One metric with its samples; `created` has the start of each series, Unix nanoseconds."""

    name: str
    type: str = "unknown"
    unit: str = ""
    samples: list[Sample] = field(default_factory=list)
    created: dict[Labels, int] = field(default_factory=dict)

    def series(self, sample: Sample) -> Labels:
        """The labels without the one that numbers the parts of a histogram or summary."""
        inner = _INNER.get(self.type)
        return tuple((k, v) for k, v in sample.labels if k != inner)

    def part(self, sample: Sample) -> str | None:
        """The bound or quantile of a part of a histogram or summary, as it is written."""
        return sample.label(_INNER.get(self.type, ""))

    def groups(self) -> Iterator[tuple[Labels, list[Sample]]]:
        """The samples of each series and time; a histogram's or summary's parts belong together."""
        found: dict[tuple[Labels, int | None], list[Sample]] = {}
        for sample in self.samples:
            found.setdefault((self.series(sample), sample.at_ns), []).append(sample)
        for (labels, _), samples in found.items():
            yield labels, samples


@dataclass(frozen=True)
class Exposition:
    """What one scrape answered; `faults` counts by reason what was left out or is not as it should be.

    `dropped` counts by reason the samples among them that are left out altogether.
    """

    families: tuple[Family, ...]
    is_json_quoted: bool
    faults: Mapping[str, int]
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """How many samples were read."""
        return sum(len(family.samples) + len(family.created) for family in self.families)


def natives_beside_buckets(family: Family) -> set[int]:
    """The native histograms, by identity, whose series also tells its buckets."""
    counts = {f"{family.name}_bucket", f"{family.name}_count"}
    return {
        id(sample)
        for _, samples in family.groups()
        if any(s.name in counts for s in samples)
        for sample in samples
        if sample.native is not None
    }


def part_of(family: Family, suffix: str, sample: Sample) -> float:
    """The bound or quantile of a part, -1 for what has none; raises BadLine for what is no part."""
    kind, value = family.type, sample.value
    if kind == "counter" and value < 0:
        raise BadLine("a counter below zero")
    if sample.native is not None:
        if kind not in {"histogram", "unknown"} or suffix:
            raise BadLine("a native histogram of another type")
        return -1
    is_count = suffix == "_bucket" or (kind == "histogram" and suffix == "_count")
    if is_count and not 0 <= value < _MAX_COUNT:
        raise BadLine("a count that is none")
    if suffix == "_bucket":
        return _bound(sample.label("le"))
    if kind == "summary":
        return _summary_part(suffix, sample)
    if kind in {"histogram", "gaugehistogram"} and not suffix:
        raise BadLine("no part of its histogram")
    return -1


def _summary_part(suffix: str, sample: Sample) -> float:
    if suffix == "_count" and not 0 <= sample.value < _MAX_COUNT:
        raise BadLine("a count that is none")
    if suffix:
        return -1
    quantile = number(sample.label("quantile") or "")
    if not 0 <= quantile <= 1:
        raise BadLine("a quantile that is none")
    return quantile


def _bound(text: str | None) -> float:
    bound = number(text or "")
    if math.isnan(bound) or bound == -math.inf:
        raise BadLine("a bucket without an upper bound")
    return bound
