"""What our collectors could not use of what they were given: told as metric points, counted in the ledger.

Here: the metric by which a sender tells it, made and read. Not here: which lines or entries a collector
leaves out and why (`collectors/`), counting (`landing`). The points are stored like any other, so rules can
watch them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from ingestion.contracts import SIGNALS

METRIC = "tta.items.dropped"
SIGNAL, REASON = "tta.dropped.signal", "tta.dropped.reason"
_REASON = re.compile(r"[a-z0-9_]{1,80}")
_MOST_ITEMS, _MOST_REASONS = 10**9, 100


@dataclass(frozen=True)
class ToldDrop:
    """So many items of a component that its sender could not use."""

    component: str
    signal: str
    reason: str
    items: int


def drop_metric(signal: str, dropped: Mapping[str, int], at_ns: int) -> Metric:
    """The metric that tells how many items of a signal went since it was last told, by reason."""
    metric = Metric(name=METRIC, unit="{item}")
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    metric.sum.is_monotonic = True
    for reason, items in sorted(dropped.items()):
        point = metric.sum.data_points.add(time_unix_nano=at_ns, as_int=items)
        for key, text in ((SIGNAL, signal), (REASON, reason_of(reason))):
            point.attributes.append(KeyValue(key=key, value=AnyValue(string_value=text)))
    return metric


def reason_of(words: str) -> str:
    """A reason in words as the ledger writes reasons."""
    return re.sub(r"[^a-z0-9]+", "_", words.lower().removeprefix("a ")).strip("_")[:80]


def told_drops(points: pa.Table) -> Iterator[ToldDrop]:
    """What gated metric points (`contracts.METRIC_POINTS`) tell of drops; what makes no sense tells nothing."""
    is_told = pc.equal(points.column("metric"), METRIC)
    if not pc.any(is_told).as_py():
        return
    reasons: set[str] = set()
    wanted = ["component", "temporality", "value_int", "attributes"]
    for row in points.select(wanted).filter(is_told).to_pylist():
        attributes = dict(row["attributes"])
        reason = _known(attributes.get(REASON), reasons)
        if row["temporality"] == "delta" and attributes.get(SIGNAL) in SIGNALS and _counts(row):
            yield ToldDrop(row["component"], attributes[SIGNAL], reason, row["value_int"])


def _counts(row: Mapping[str, Any]) -> bool:
    return row["value_int"] is not None and 0 < row["value_int"] <= _MOST_ITEMS


def _known(reason: str | None, reasons: set[str]) -> str:
    """The reason, or `other` for what is none and for more of them than collectors have."""
    if reason is None or not _REASON.fullmatch(reason):
        return "other"
    if reason not in reasons and len(reasons) >= _MOST_REASONS:
        return "other"
    reasons.add(reason)
    return reason
