"""How a collector tells what it could not use: a metric of counts by signal and reason.

Here: the metric and how reasons are written. Not here: what is left out and why (`exposition`,
`scraped_samples`, `log_files`), how the ledger counts it (`receivers/told_drops`). The points are stored like
any other, so rules can watch them.
"""

import re
from collections.abc import Mapping

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

METRIC = "tta.items.dropped"
SIGNAL, REASON = "tta.dropped.signal", "tta.dropped.reason"


def drop_metric(signal: str, dropped: Mapping[str, int], at_ns: int) -> Metric:
    """The metric that tells how many items of a signal went since it was last told, by reason."""
    metric = Metric(name=METRIC, unit="{item}")
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    metric.sum.is_monotonic = True
    for reason, items in sorted(dropped.items()):
        point = metric.sum.data_points.add(time_unix_nano=at_ns, as_int=items)
        for key, text in ((SIGNAL, signal), (REASON, _as_written(reason))):
            point.attributes.append(KeyValue(key=key, value=AnyValue(string_value=text)))
    return metric


def _as_written(reason: str) -> str:
    """A reason in words as the ledger writes reasons."""
    return re.sub(r"[^a-z0-9]+", "_", reason.lower().removeprefix("a ")).strip("_")[:80]
