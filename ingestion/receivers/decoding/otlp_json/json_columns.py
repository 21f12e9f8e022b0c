"""OTLP/JSON objects become the Arrow columns that `decode.to_arrow` makes of protobuf.

Here: columns of many objects at once, by the names and types that the flattening reads. Not here: the
objects (`json_types`) and reading bytes (`json_bodies`). What is not set has protobuf's default; a
number that does not fit its field raises ValueError, as it does in protobuf's own JSON mapping.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import AnyValue as ProtobufValue
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtobufSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status as ProtobufStatus

from ingestion.receivers.decoding.otlp_json import json_types as of

_Objects = Sequence[Any]
_Column = Callable[[list[Any]], pa.Array]
_BINARY_LISTS = pa.list_(pa.binary())
_NO_VALUE, _NO_RESOURCE, _NO_SCOPE, _NO_STATUS = (
    of.AnyValue(), of.Resource(), of.Scope(), of.Status(),
)  # fmt: skip
_SCALARS = ("string_value", "bool_value", "int_value", "double_value")


def export_columns(signal: str, exports: _Objects) -> pa.RecordBatch:
    """One row per export; raises ValueError when a value does not fit."""
    groups, scopes, items, make = _LEVELS[signal]

    def of_scopes(found: _Objects) -> pa.Array:
        scope = _struct(_or(found, "scope", _NO_SCOPE), {"name": _text, "version": _text})
        return _named({"scope": scope, items: _list(found, items, make)})

    def of_groups(found: _Objects) -> pa.Array:
        resource = _struct_of(_or(found, "resource", _NO_RESOURCE), {"attributes": _attributes})
        return _named({"resource": resource, scopes: _list(found, scopes, of_scopes)})

    return pa.RecordBatch.from_arrays([_list(exports, groups, of_groups)], [groups])


def _spans(spans: _Objects) -> pa.Array:
    fixed = {
        "trace_id": _ids(16), "span_id": _ids(8), "parent_span_id": _ids(8), "name": _text,
        "kind": _enum(ProtobufSpan.SpanKind), "start_time_unix_nano": _u64,
        "end_time_unix_nano": _u64,
    }  # fmt: skip
    status = _struct(
        _or(spans, "status", _NO_STATUS),
        {"message": _text, "code": _enum(ProtobufStatus.StatusCode)},
    )
    return _named(
        _columns(spans, fixed)
        | {
            "attributes": _attributes(spans),
            "events": _list(spans, "events", _events),
            "links": _list(spans, "links", _links),
            "status": status,
        }
    )


def _events(events: _Objects) -> pa.Array:
    return _struct_of(events, {"attributes": _attributes}, {"time_unix_nano": _u64, "name": _text})


def _links(links: _Objects) -> pa.Array:
    return _struct_of(
        links, {"attributes": _attributes}, {"trace_id": _ids(16), "span_id": _ids(8)}
    )


def _log_records(records: _Objects) -> pa.Array:
    fixed = {
        "time_unix_nano": _u64, "observed_time_unix_nano": _u64,
        "severity_number": _enum(SeverityNumber), "severity_text": _text, "event_name": _text,
        "trace_id": _ids(16), "span_id": _ids(8),
    }  # fmt: skip
    bodies = [r.body for r in records]
    return _named(
        _columns(records, fixed)
        | {"body": _values(bodies), "attributes": _attributes(records)}
    )  # fmt: skip


def _metrics(metrics: _Objects) -> pa.Array:
    made = _columns(metrics, {"name": _text, "unit": _text})
    for kind, (no_data, points, fixed) in _KINDS.items():
        data = _or(metrics, kind, no_data)
        made[kind] = _named(
            {"data_points": _list(data, "data_points", points)} | _columns(data, fixed)
        )
    return _named(made)


def _points(fixed: dict[str, _Column], *, buckets: bool = False) -> Callable[[_Objects], pa.Array]:
    """Points with the columns that all kinds have, and these."""
    shared = {"start_time_unix_nano": _u64, "time_unix_nano": _u64, "flags": _u32, **fixed}

    def make(points: _Objects) -> pa.Array:
        made = _columns(points, shared) | {"attributes": _attributes(points)}
        made["exemplars"] = _list(points, "exemplars", _exemplars)
        for side in ("positive", "negative") if buckets else ():
            made[side] = _buckets([getattr(p, side) for p in points])
        return _named(made)

    return make


def _buckets(found: list[of.Buckets | None]) -> pa.Array:
    there = [of.Buckets() if b is None else b for b in found]
    columns = _columns(there, {"offset": _i32, "bucket_counts": _count_list})
    is_null = pa.array([b is None for b in found], pa.bool_())
    return pa.StructArray.from_arrays(list(columns.values()), list(columns), mask=is_null)


def _exemplars(exemplars: _Objects) -> pa.Array:
    fixed = {
        "time_unix_nano": _u64, "as_double": _real, "as_int": _i64,
        "trace_id": _ids(16), "span_id": _ids(8),
    }  # fmt: skip
    return _struct(exemplars, fixed)


def _quantiles(found: _Objects) -> pa.Array:
    return _struct(found, {"quantile": _real_or_zero, "value": _real_or_zero})


def _summary_points(points: _Objects) -> pa.Array:
    fixed = {
        "start_time_unix_nano": _u64, "time_unix_nano": _u64, "flags": _u32,
        "count": _u64, "sum": _real_or_zero,
    }  # fmt: skip
    return _struct_of(
        points,
        {
            "attributes": _attributes,
            "quantile_values": lambda of_points: _list(of_points, "quantile_values", _quantiles),
        },
        fixed,
    )


def _attributes(owners: _Objects) -> pa.Array:
    return _list(owners, "attributes", _key_values)


def _key_values(pairs: _Objects) -> pa.Array:
    return _named(
        {"key": _text([p.key for p in pairs]), "value": _values([p.value for p in pairs])}
    )


def _values(values: list[of.AnyValue | None]) -> pa.Array:
    """Values as ptars gives them: text, numbers and, of arrays, their elements as protobuf bytes."""
    found = [_NO_VALUE if v is None else v for v in values]
    arrays = [v.array_value for v in found]
    columns = {
        "string_value": pa.array([v.string_value for v in found], pa.string()),
        "bool_value": pa.array([v.bool_value for v in found], pa.bool_()),
        "int_value": _i64([v.int_value for v in found]),
        "double_value": _real([v.double_value for v in found]),
        "array_value": _named({"values": _array_values(arrays)}),
    }
    if all(values):
        return _named(columns)
    is_null = pa.array([v is None for v in values], pa.bool_())
    return pa.StructArray.from_arrays(list(columns.values()), list(columns), mask=is_null)


def _array_values(arrays: list[of.ArrayValue | None]) -> pa.Array:
    if not any(arrays):
        return pa.nulls(len(arrays), _BINARY_LISTS)
    rows = [None if a is None else [_scalar(v) for v in a.values or ()] for a in arrays]
    return pa.array(rows, _BINARY_LISTS)


def _scalar(value: of.AnyValue) -> bytes:
    """A scalar in an array as protobuf bytes; what is nested deeper is left out anyway."""
    made = ProtobufValue()
    for name in _SCALARS:
        given = getattr(value, name)
        if given is not None:
            number = {"int_value": int, "double_value": float}.get(name)
            setattr(made, name, number(given) if number else given)
    return made.SerializeToString()


def _columns(objects: _Objects, fields: dict[str, _Column]) -> dict[str, pa.Array]:
    return {name: make(list(map(attrgetter(name), objects))) for name, make in fields.items()}


def _struct(objects: _Objects, fields: dict[str, _Column]) -> pa.StructArray:
    return _named(_columns(objects, fields))


def _struct_of(
    objects: _Objects,
    parts: dict[str, Callable[[_Objects], pa.Array]],
    fields: dict[str, _Column] | None = None,
) -> pa.StructArray:
    made = _columns(objects, fields or {})
    return _named(made | {name: make(objects) for name, make in parts.items()})


def _named(columns: dict[str, pa.Array]) -> pa.StructArray:
    return pa.StructArray.from_arrays(list(columns.values()), list(columns))


def _list(owners: _Objects, name: str, make: Callable[[_Objects], pa.Array]) -> pa.ListArray:
    lists = [found or () for found in map(attrgetter(name), owners)]
    offsets = np.zeros(len(lists) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, lists), np.int32, len(lists)), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), make(list(chain.from_iterable(lists))))


def _or(objects: _Objects, name: str, missing: Any) -> list[Any]:
    return [missing if found is None else found for found in map(attrgetter(name), objects)]


def _text(column: list[Any]) -> pa.Array:
    return pa.array(["" if text is None else text for text in column], pa.string())


def _ids(width: int) -> _Column:
    def make(column: list[Any]) -> pa.Array:
        # All of one width is what comes; then one call reads every id.
        if all(text is not None and len(text) == 2 * width for text in column):
            try:
                whole = bytes.fromhex("".join(column))
            except ValueError:
                whole = b""
            if len(whole) == width * len(column):
                offsets = pa.array(np.arange(len(column) + 1, dtype=np.int32) * width)
                buffers = [None, offsets.buffers()[1], pa.py_buffer(whole)]
                return pa.Array.from_buffers(pa.binary(), len(column), buffers)
        return pa.array([_id(text) for text in column], pa.binary())

    return make


def _id(text: str | None) -> bytes:
    """The bytes of a hexadecimal id; one that is none becomes an id that no item may have."""
    try:
        return bytes.fromhex(text or "")
    except ValueError:
        return b"?"


def _enum(names: Any) -> _Column:
    def make(column: list[Any]) -> pa.Array:
        numbers = [
            _whole(names.Value(given) if isinstance(given, str) and given[:1].isalpha() else given)
            for given in column
        ]
        return pa.array([n or 0 for n in numbers], pa.int32())

    return make


def _whole_column(type_: pa.DataType, missing: int | None) -> _Column:
    def make(column: list[Any]) -> pa.Array:
        return pa.array(
            [missing if given is None else _whole(given) for given in column], type_
        )  # fmt: skip

    return make


def _whole(given: of.Whole) -> int | None:
    if isinstance(given, float):
        if not given.is_integer():
            raise ValueError("a whole number has a fraction")
        return int(given)
    return int(given) if isinstance(given, str) else given


def _real(column: list[Any]) -> pa.Array:
    return pa.array([float(x) if isinstance(x, str) else x for x in column], pa.float64())


def _real_or_zero(column: list[Any]) -> pa.Array:
    return _real([0.0 if number is None else number for number in column])


def _count_list(column: list[Any]) -> pa.Array:
    return pa.array([[_whole(n) for n in row or ()] for row in column], pa.list_(pa.uint64()))


def _bound_list(column: list[Any]) -> pa.Array:
    rows = [[float(x) if isinstance(x, str) else x for x in row or ()] for row in column]
    return pa.array(rows, pa.list_(pa.float64()))


def _flag(column: list[Any]) -> pa.Array:
    return pa.array([bool(given) for given in column], pa.bool_())


_u64 = _whole_column(pa.uint64(), 0)
_u32 = _whole_column(pa.uint32(), 0)
_i32 = _whole_column(pa.int32(), 0)
_i64 = _whole_column(pa.int64(), None)
_of_distributions: dict[str, _Column] = {"count": _u64, "sum": _real, "min": _real, "max": _real}
_NUMBER_POINTS = _points({"as_double": _real, "as_int": _i64})
_temporality: dict[str, _Column] = {"aggregation_temporality": _enum(AggregationTemporality)}
_KINDS: dict[str, tuple[Any, Callable[[_Objects], pa.Array], dict[str, _Column]]] = {
    "gauge": (of.Gauge(), _NUMBER_POINTS, {}),
    "sum": (of.Sum(), _NUMBER_POINTS, _temporality | {"is_monotonic": _flag}),
    "histogram": (
        of.Histogram(),
        _points(_of_distributions | {"bucket_counts": _count_list, "explicit_bounds": _bound_list}),
        _temporality,
    ),
    "exponential_histogram": (
        of.ExponentialHistogram(),
        _points(
            _of_distributions
            | {"scale": _i32, "zero_count": _u64, "zero_threshold": _real_or_zero},
            buckets=True,
        ),
        _temporality,
    ),
    "summary": (of.Summary(), _summary_points, {}),
}
_LEVELS: dict[str, tuple[str, str, str, Callable[[_Objects], pa.Array]]] = {
    "spans": ("resource_spans", "scope_spans", "spans", _spans),
    "logs": ("resource_logs", "scope_logs", "log_records", _log_records),
    "metric_points": ("resource_metrics", "scope_metrics", "metrics", _metrics),
}
