"""Metric points of every kind in one wide table; what a kind lacks is null."""

import pyarrow as pa

from ingestion.contracts.common import ATTRIBUTES, ORIGIN, TIME

EXEMPLAR = pa.struct(
    [
        ("event_at", TIME),
        ("value", pa.float64()),
        ("trace_id", pa.binary()),
        ("span_id", pa.binary()),
    ]
)
QUANTILE = pa.struct([("quantile", pa.float64()), ("value", pa.float64())])

METRIC_POINTS = pa.schema(
    [
        pa.field("metric", pa.string(), nullable=False),
        pa.field("unit", pa.string()),
        pa.field(
            "kind", pa.string(), nullable=False
        ),  # gauge sum histogram exponential_histogram summary
        pa.field("temporality", pa.string()),  # delta cumulative; null for gauge and summary
        pa.field("is_monotonic", pa.bool_()),  # sums only
        pa.field("event_at", TIME, nullable=False),
        pa.field("start_at", TIME),
        *ORIGIN,
        pa.field("attributes", ATTRIBUTES, nullable=False),
        pa.field("value", pa.float64()),  # gauge, sum
        pa.field("value_int", pa.int64()),  # the exact integer where one was sent
        pa.field("point_count", pa.int64()),  # histogram kinds, summary
        pa.field("point_sum", pa.float64()),
        pa.field("point_min", pa.float64()),
        pa.field("point_max", pa.float64()),
        pa.field("explicit_bounds", pa.list_(pa.float64())),
        pa.field("bucket_counts", pa.list_(pa.int64())),
        pa.field("scale", pa.int32()),  # exponential_histogram from here
        pa.field("zero_count", pa.int64()),
        pa.field("zero_threshold", pa.float64()),
        pa.field("positive_offset", pa.int32()),
        pa.field("positive_counts", pa.list_(pa.int64())),
        pa.field("negative_offset", pa.int32()),
        pa.field("negative_counts", pa.list_(pa.int64())),
        pa.field("quantiles", pa.list_(QUANTILE)),  # summary
        pa.field("exemplars", pa.list_(EXEMPLAR), nullable=False),
        pa.field("flags", pa.int64(), nullable=False),  # bit 0 = no recorded value
    ]
)
