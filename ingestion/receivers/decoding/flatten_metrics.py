"""Metric points of all five kinds in one table, schema `contracts.METRIC_POINTS`.

Here: what each kind fills in. Not here: the shared origin columns (`nested`) and meaning such as rates
and resets (`dbt/`, `live_tail/`). Source: OTLP 1.x, metrics.proto.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import METRIC_POINTS
from ingestion.contracts.metric_points import EXEMPLAR, QUANTILE
from ingestion.receivers.decoding.nested import (
    children,
    enum_codes,
    enum_text,
    field_of,
    id_or_null,
    is_ahead,
    nested,
    none_if_empty,
    time_us,
    values_of,
)
from ingestion.receivers.decoding.origin import open_scopes, origin_of
from ingestion.receivers.decoding.rejections import Flat, finish
from privacy.gate.gate_columns import Gate

_KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_TEMPORALITIES = ("unspecified", "delta", "cumulative")
_DOUBLES = pa.list_(pa.float64())
_COUNTS = pa.list_(pa.int64())


@dataclass(frozen=True)
class _Points:
    """The points of one kind, what their metrics say of all of theirs, and where they belong."""

    points: pa.StructArray
    data: pa.StructArray
    metric_of_point: np.ndarray
    scope_of_point: np.ndarray

    def of_metric(self, name: str) -> pa.Array:
        """What the metric of each point says in a field."""
        return field_of(self.data, name).take(pa.array(self.metric_of_point))


def flatten_metrics(batch: pa.RecordBatch, gate: Gate, received_us: int) -> Flat:
    """One row per data point, kind after kind, schema `contracts.METRIC_POINTS`."""
    scopes = open_scopes(batch, "scope_metrics", gate)
    metrics, scope_of_metric = children(scopes.column.field("metrics"))
    owners = scopes.owners.take(scope_of_metric)
    names = gate.tokens(metrics.field("name"), "metric name", owners)
    units = gate.tokens(none_if_empty(metrics.field("unit")), "unit", owners)
    tables: list[pa.Table] = []
    bodies: list[np.ndarray] = []
    unknown: list[np.ndarray] = []
    for kind in _KINDS:
        chosen = _points_of(metrics, scope_of_metric, kind)
        if chosen is None:
            continue
        origin = origin_of(scopes, chosen.scope_of_point, received_us)
        by_metric = pa.array(chosen.metric_of_point)
        named = {"metric": names.take(by_metric), "unit": units.take(by_metric)}
        attributes = gate.attributes(
            chosen.points.field("attributes"), "metric", owners.take(chosen.metric_of_point)
        )
        tables.append(_table(kind, chosen, origin | named | {"attributes": attributes}))
        bodies.append(scopes.body_of_scope[chosen.scope_of_point])
        unknown.append(_has_unknown_temporality(kind, chosen))
    if not tables:
        return Flat(METRIC_POINTS.empty_table(), np.empty(0, dtype=np.int64), [])
    table = pa.concat_tables(tables) if len(tables) > 1 else tables[0]
    reasons = {
        "missing_metric_name": pc.equal(table["metric"], "").to_numpy(),
        "invalid_time": table["event_at"].is_null().to_numpy(),
    }
    odd = {
        "unknown_enum_number": np.concatenate(unknown),
        "clock_ahead": is_ahead(table["event_at"], received_us),
    }
    return finish(table, METRIC_POINTS, reasons, np.concatenate(bodies), odd)


def _points_of(metrics: pa.StructArray, scope_of_metric: np.ndarray, kind: str) -> _Points | None:
    data = field_of(metrics, kind)
    if data.null_count == len(data):
        return None
    points, metric_of_point = children(field_of(data, "data_points"))
    if len(points) == 0:
        return None
    return _Points(points, data, metric_of_point, scope_of_metric[metric_of_point])


def _table(kind: str, chosen: _Points, shared: dict[str, pa.Array]) -> pa.Table:
    count = len(chosen.points)
    columns = shared | {
        "kind": pa.repeat(pa.scalar(kind), count),
        "event_at": time_us(chosen.points.field("time_unix_nano")),
        "start_at": time_us(chosen.points.field("start_time_unix_nano")),
        "flags": chosen.points.field("flags").cast(pa.int64()),
    }
    columns |= _FILL[kind](chosen)
    fields = [METRIC_POINTS.field(name) for name in METRIC_POINTS.names]
    filled = [_as(f, columns[f.name]) if f.name in columns else _default(f, count) for f in fields]
    # Nullable here: rows without time are still to be rejected.
    return pa.table(filled, names=METRIC_POINTS.names)


def _as(wanted: pa.Field, column: pa.Array) -> pa.Array:
    return column if column.type == wanted.type else column.cast(wanted.type)


def _default(wanted: pa.Field, count: int) -> pa.Array:
    if wanted.nullable:
        return pa.nulls(count, wanted.type)
    empty = pa.array([], wanted.type.value_type)
    return pa.ListArray.from_arrays(pa.array(np.zeros(count + 1), pa.int32()), empty)


def _number(chosen: _Points) -> dict[str, pa.Array]:
    as_int = field_of(chosen.points, "as_int")
    as_double = field_of(chosen.points, "as_double")
    return {
        "value": pc.coalesce(as_double, as_int.cast(pa.float64(), safe=False)),
        "value_int": as_int,
        "exemplars": _exemplars(chosen.points.field("exemplars")),
    }


def _temporality(chosen: _Points) -> pa.Array:
    return enum_text(chosen.of_metric("aggregation_temporality"), _TEMPORALITIES)[0]


def _has_unknown_temporality(kind: str, chosen: _Points) -> np.ndarray:
    if kind in {"gauge", "summary"}:
        return np.zeros(len(chosen.points), dtype=bool)
    return enum_codes(chosen.of_metric("aggregation_temporality"), len(_TEMPORALITIES))[1]


def _sum(chosen: _Points) -> dict[str, pa.Array]:
    return _number(chosen) | {
        "temporality": _temporality(chosen),
        "is_monotonic": chosen.of_metric("is_monotonic"),
    }


def _distribution(chosen: _Points) -> dict[str, pa.Array]:
    points = chosen.points
    return {
        "temporality": _temporality(chosen),
        "point_count": _counts(points.field("count")),
        "point_sum": field_of(points, "sum"),
        "point_min": field_of(points, "min"),
        "point_max": field_of(points, "max"),
        "exemplars": _exemplars(points.field("exemplars")),
    }


def _histogram(chosen: _Points) -> dict[str, pa.Array]:
    return _distribution(chosen) | {
        "explicit_bounds": chosen.points.field("explicit_bounds").cast(_DOUBLES),
        "bucket_counts": _count_lists(chosen.points.field("bucket_counts")),
    }


def _exponential(chosen: _Points) -> dict[str, pa.Array]:
    points = chosen.points
    columns = _distribution(chosen) | {
        "scale": points.field("scale"),
        "zero_count": _counts(points.field("zero_count")),
        "zero_threshold": points.field("zero_threshold"),
    }
    for side in ("positive", "negative"):
        buckets = field_of(points, side)
        columns[f"{side}_offset"] = field_of(buckets, "offset")
        columns[f"{side}_counts"] = _count_lists(field_of(buckets, "bucket_counts"))
    return columns


def _summary(chosen: _Points) -> dict[str, pa.Array]:
    lists = chosen.points.field("quantile_values")
    values = values_of(lists)
    structs = pa.StructArray.from_arrays(
        [values.field("quantile"), values.field("value")], fields=list(QUANTILE)
    )
    return {
        "point_count": _counts(chosen.points.field("count")),
        "point_sum": chosen.points.field("sum"),
        "quantiles": nested(lists, structs),
    }


def _exemplars(lists: pa.ListArray) -> pa.ListArray:
    values = values_of(lists)
    as_int = field_of(values, "as_int").cast(pa.float64(), safe=False)
    columns = [
        time_us(values.field("time_unix_nano")),
        pc.coalesce(field_of(values, "as_double"), as_int),
        id_or_null(values.field("trace_id"), 16),
        id_or_null(values.field("span_id"), 8),
    ]
    return nested(lists, pa.StructArray.from_arrays(columns, fields=list(EXEMPLAR)))


def _counts(column: pa.Array) -> pa.Array:
    """Unsigned 64-bit counts as signed; what does not fit is the largest signed number."""
    top = pa.scalar(2**63 - 1, pa.uint64())
    return pc.min_element_wise(column, top).cast(pa.int64())


def _count_lists(column: pa.ListArray) -> pa.ListArray:
    if column.null_count:
        return column.cast(_COUNTS)
    return nested(column, _counts(values_of(column)))


_FILL = {
    "gauge": _number,
    "sum": _sum,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
    "summary": _summary,
}
