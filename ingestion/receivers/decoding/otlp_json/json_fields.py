"""Columns of OTLP/JSON fields, whatever message they belong to.

Here: one field of many objects as an Arrow array, and structs and lists of such arrays. What is not set
has protobuf's default; a number that does not fit its field raises ValueError, as it does in protobuf's
own JSON mapping. Not here: which fields a message has (`json_columns`, `json_metric_columns`). Source:
protobuf.dev, "ProtoJSON Format".
"""

from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.receivers.decoding.otlp_json import json_types as of

Objects = Sequence[Any]
Column = Callable[[list[Any]], pa.Array]


def columns_of(objects: Objects, fields: dict[str, Column]) -> dict[str, pa.Array]:
    """Columns by name, each made of its field of the objects."""
    return {name: make(list(map(attrgetter(name), objects))) for name, make in fields.items()}


def struct(objects: Objects, fields: dict[str, Column]) -> pa.StructArray:
    """A struct column of these fields."""
    return named(columns_of(objects, fields))


def struct_with(
    objects: Objects,
    parts: dict[str, Callable[[Objects], pa.Array]],
    fields: dict[str, Column] | None = None,
) -> pa.StructArray:
    """A struct column of these fields, and of parts that take the objects themselves."""
    made = columns_of(objects, fields or {})
    return named(made | {name: make(objects) for name, make in parts.items()})


def named(columns: dict[str, pa.Array]) -> pa.StructArray:
    """A struct column of columns of one length."""
    return pa.StructArray.from_arrays(list(columns.values()), list(columns))


def lists_of(owners: Objects, name: str, make: Callable[[Objects], pa.Array]) -> pa.ListArray:
    """A list column: what `make` makes of all elements of a field, parted again by object."""
    lists = [found or () for found in map(attrgetter(name), owners)]
    offsets = np.zeros(len(lists) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, lists), np.int32, len(lists)), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), make(list(chain.from_iterable(lists))))


def set_or(objects: Objects, name: str, missing: Any) -> list[Any]:
    """A field of each object, `missing` where it is not set."""
    return [missing if found is None else found for found in map(attrgetter(name), objects)]


def texts(column: list[Any]) -> pa.Array:
    """Texts; empty where they are not set."""
    return pa.array(["" if text is None else text for text in column], pa.string())


def ids_of(width: int) -> Column:
    """A reader of hexadecimal ids of `width` bytes."""

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


def enums(names: Any) -> Column:
    """A reader of an enumeration's names or numbers; 0 where it is not set."""

    def make(column: list[Any]) -> pa.Array:
        numbers = [
            _whole(names.Value(given) if isinstance(given, str) and given[:1].isalpha() else given)
            for given in column
        ]
        return pa.array([n or 0 for n in numbers], pa.int32())

    return make


def _whole_column(type_: pa.DataType, missing: int | None) -> Column:
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


def reals(column: list[Any]) -> pa.Array:
    """Doubles; null where they are not set."""
    return pa.array([float(x) if isinstance(x, str) else x for x in column], pa.float64())


def reals_or_zero(column: list[Any]) -> pa.Array:
    """Doubles; 0 where they are not set."""
    return reals([0.0 if number is None else number for number in column])


def count_lists(column: list[Any]) -> pa.Array:
    """Lists of counts, uint64."""
    return pa.array([[_whole(n) for n in row or ()] for row in column], pa.list_(pa.uint64()))


def bound_lists(column: list[Any]) -> pa.Array:
    """Lists of bounds, doubles."""
    rows = [[float(x) if isinstance(x, str) else x for x in row or ()] for row in column]
    return pa.array(rows, pa.list_(pa.float64()))


def flags(column: list[Any]) -> pa.Array:
    """Booleans; false where they are not set."""
    return pa.array([bool(given) for given in column], pa.bool_())


u64 = _whole_column(pa.uint64(), 0)
u32 = _whole_column(pa.uint32(), 0)
i32 = _whole_column(pa.int32(), 0)
i64 = _whole_column(pa.int64(), None)
