"""Metrics of OTLP/JSON as columns.

Here: each kind's points, with their buckets, exemplars and quantiles. Not here: spans and logs
(`json_columns`), fields (`json_fields`). Source: OTLP 1.x, metrics.proto.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from ingestion.receivers.decoding.otlp_json import json_metric_types as of
from ingestion.receivers.decoding.otlp_json.json_attributes import attributes_of
from ingestion.receivers.decoding.otlp_json.json_fields import (
    Column,
    Objects,
    bound_lists,
    columns_of,
    count_lists,
    enums,
    flags,
    i32,
    i64,
    ids_of,
    lists_of,
    named,
    reals,
    reals_or_zero,
    set_or,
    struct,
    struct_with,
    texts,
    u32,
    u64,
)


def metric_columns(metrics: Objects) -> pa.Array:
    """The metrics as ptars gives them of protobuf: one struct of points for each kind."""
    made = columns_of(metrics, {"name": texts, "unit": texts})
    for kind, (no_data, points, fixed) in _KINDS.items():
        data = set_or(metrics, kind, no_data)
        made[kind] = named(
            {"data_points": lists_of(data, "data_points", points)} | columns_of(data, fixed)
        )
    return named(made)


def _points(fixed: dict[str, Column], *, buckets: bool = False) -> Callable[[Objects], pa.Array]:
    """Points with the columns that all kinds have, and these."""
    shared = {"start_time_unix_nano": u64, "time_unix_nano": u64, "flags": u32, **fixed}

    def make(points: Objects) -> pa.Array:
        made = columns_of(points, shared) | {"attributes": attributes_of(points)}
        made["exemplars"] = lists_of(points, "exemplars", _exemplars)
        for side in ("positive", "negative") if buckets else ():
            made[side] = _buckets([getattr(p, side) for p in points])
        return named(made)

    return make


def _buckets(found: list[of.Buckets | None]) -> pa.Array:
    there = [of.Buckets() if b is None else b for b in found]
    columns = columns_of(there, {"offset": i32, "bucket_counts": count_lists})
    is_null = pa.array([b is None for b in found], pa.bool_())
    return pa.StructArray.from_arrays(list(columns.values()), list(columns), mask=is_null)


def _exemplars(exemplars: Objects) -> pa.Array:
    fixed = {
        "time_unix_nano": u64, "as_double": reals, "as_int": i64,
        "trace_id": ids_of(16), "span_id": ids_of(8),
    }  # fmt: skip
    return struct(exemplars, fixed)


def _quantiles(found: Objects) -> pa.Array:
    return struct(found, {"quantile": reals_or_zero, "value": reals_or_zero})


def _summary_points(points: Objects) -> pa.Array:
    fixed = {
        "start_time_unix_nano": u64, "time_unix_nano": u64, "flags": u32,
        "count": u64, "sum": reals_or_zero,
    }  # fmt: skip
    return struct_with(
        points,
        {
            "attributes": attributes_of,
            "quantile_values": lambda of_points: lists_of(of_points, "quantile_values", _quantiles),
        },
        fixed,
    )


_of_distributions: dict[str, Column] = {"count": u64, "sum": reals, "min": reals, "max": reals}
_NUMBER_POINTS = _points({"as_double": reals, "as_int": i64})
_temporality: dict[str, Column] = {"aggregation_temporality": enums(AggregationTemporality)}
_KINDS: dict[str, tuple[Any, Callable[[Objects], pa.Array], dict[str, Column]]] = {
    "gauge": (of.Gauge(), _NUMBER_POINTS, {}),
    "sum": (of.Sum(), _NUMBER_POINTS, _temporality | {"is_monotonic": flags}),
    "histogram": (
        of.Histogram(),
        _points(_of_distributions | {"bucket_counts": count_lists, "explicit_bounds": bound_lists}),
        _temporality,
    ),
    "exponential_histogram": (
        of.ExponentialHistogram(),
        _points(
            _of_distributions | {"scale": i32, "zero_count": u64, "zero_threshold": reals_or_zero},
            buckets=True,
        ),
        _temporality,
    ),
    "summary": (of.Summary(), _summary_points, {}),
}
