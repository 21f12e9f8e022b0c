"""Attributes and values of OTLP/JSON as columns.

Here: `KeyValue` and `AnyValue`, as ptars gives them of protobuf. Not here: which message has attributes
(`json_columns`, `json_metric_columns`), what may be kept of them (`privacy/gate`). Source: OTLP 1.x,
common.proto.
"""

import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import AnyValue as ProtobufValue

from ingestion.receivers.decoding.otlp_json import json_types as of
from ingestion.receivers.decoding.otlp_json.json_fields import (
    Objects,
    i64,
    lists_of,
    named,
    reals,
    texts,
)

_BINARY_LISTS = pa.list_(pa.binary())
_NO_VALUE = of.AnyValue()
_SCALARS = ("string_value", "bool_value", "int_value", "double_value")


def attributes_of(owners: Objects) -> pa.Array:
    """One list<struct<key: string, value: struct>> per owner."""
    return lists_of(owners, "attributes", _key_values)


def _key_values(pairs: Objects) -> pa.Array:
    return named(
        {"key": texts([p.key for p in pairs]), "value": values_of([p.value for p in pairs])}
    )


def values_of(values: list[of.AnyValue | None]) -> pa.Array:
    """Values as ptars gives them: text, numbers and, of arrays, their elements as protobuf bytes."""
    found = [_NO_VALUE if v is None else v for v in values]
    arrays = [v.array_value for v in found]
    columns = {
        "string_value": pa.array([v.string_value for v in found], pa.string()),
        "bool_value": pa.array([v.bool_value for v in found], pa.bool_()),
        "int_value": i64([v.int_value for v in found]),
        "double_value": reals([v.double_value for v in found]),
        "array_value": named({"values": _array_values(arrays)}),
    }
    if all(values):
        return named(columns)
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
