"""Attribute values as text, before anything is decided about them.

Here: a column of OTLP `AnyValue`s, as ptars decodes them, as one column of text: numbers and booleans as they
print, arrays of scalars as JSON, anything else null. Not here: what is kept (`entries`). Source: OTLP 1.x,
common.proto.
"""

import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from privacy.gate.card_numbers import without_cards

_TEXT = pa.string()
_MAX_ARRAY_ITEMS = 32


def as_text(values: pa.StructArray) -> tuple[pa.Array, np.ndarray]:
    """Values as text (null where there is none or it is a map or bytes) and which were typed."""
    strings = _field(values, "string_value")
    if strings.null_count == 0:
        return strings, np.zeros(len(strings), dtype=bool)
    texts, is_typed = strings, np.zeros(len(strings), dtype=bool)
    for name, treat in _NUMBERS.items():
        column = _field(values, name)
        if column.null_count < len(column):
            typed = treat(column).cast(_TEXT)
            is_typed |= valid_rows(typed)
            texts = pc.coalesce(texts, typed)
    if values.field("array_value").null_count < len(values):
        arrays = pc.struct_field(values, ["array_value", "values"])
        texts = pc.coalesce(texts, _arrays_as_json(arrays))
    return texts, is_typed


_NUMBERS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "int_value": without_cards,
    "bool_value": lambda column: column,
    "double_value": without_cards,
}


def _field(structs: pa.StructArray, name: str) -> pa.Array:
    """A field, null where its struct is; cheaper where no struct is null."""
    return pc.struct_field(structs, name) if structs.null_count else structs.field(name)


def valid_rows(column: pa.Array) -> np.ndarray:
    """A mask of the rows that are not null."""
    if not column.null_count:
        return np.ones(len(column), dtype=bool)
    return column.is_valid().to_numpy(zero_copy_only=False)


def _arrays_as_json(arrays: pa.ListArray) -> pa.Array:
    """Arrays of scalars as JSON text; nested values are left out."""
    decoded: dict[bytes, object] = {}

    def scalar(leaf: bytes) -> object:
        if leaf not in decoded:
            value = _value_of(leaf)
            which = value.WhichOneof("value")
            plain = which in {"string_value", "int_value", "double_value", "bool_value"}
            decoded[leaf] = getattr(value, which) if which and plain else None
        return decoded[leaf]

    texts: list[str | None] = []
    for row in arrays.to_pylist():
        items = None if row is None else [scalar(leaf) for leaf in row[:_MAX_ARRAY_ITEMS]]
        texts.append(None if items is None else json.dumps([i for i in items if i is not None]))
    return pa.array(texts, _TEXT)


def _value_of(leaf: bytes) -> AnyValue:
    """An element of an array; one that is nested too deeply to be read is none."""
    try:
        return AnyValue.FromString(leaf)
    except DecodeError:
        return AnyValue()
