"""Small Arrow helpers for nested OTLP columns: lists with their parents, times, ids, enumerations.

Here: single columns. Not here: resources and scopes (`origin`), refused rows (`rejections`), what a span,
log record or metric point is made of (`flatten_*`). Source: Arrow columnar format, OTLP 1.x.
"""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.common import TIME

MAX_EVENT_US = 7_258_118_400_000_000  # 2200-01-01
MAX_AHEAD_US = 3_600_000_000


def children(lists: pa.ListArray) -> tuple[pa.Array, np.ndarray]:
    """The flattened values of a list column and, as long, the parent row (int) of each."""
    if lists.null_count:
        return lists.flatten(), pc.list_parent_indices(lists).to_numpy()
    lengths = np.diff(lists.offsets.to_numpy())
    return values_of(lists), np.arange(len(lists)).repeat(lengths)


def field_of(structs: pa.StructArray, name: str) -> pa.Array:
    """A field, as long as the structs, null where its struct is; a tenth of the cost where none is null."""
    return pc.struct_field(structs, name) if structs.null_count else structs.field(name)


def spread(columns: dict[str, pa.Array], rows: np.ndarray) -> dict[str, pa.Array]:
    """The columns at the given rows; as they are when that is each row once and in order."""
    count = len(next(iter(columns.values())))
    if len(rows) == count and np.array_equal(rows, np.arange(count)):
        return columns
    places = pa.array(rows)
    return {name: column.take(places) for name, column in columns.items()}


def time_us(nanoseconds: pa.Array) -> pa.Array:
    """Unsigned nanoseconds as UTC microseconds; 0 (not set) and times after 2200 become null."""
    us = nanoseconds.to_numpy(zero_copy_only=False) // 1_000
    valid = (us > 0) & (us < MAX_EVENT_US)
    if valid.all():
        return pa.array(us.astype(np.int64)).view(TIME)
    return pa.array(np.where(valid, us, 0).astype(np.int64), mask=~valid).view(TIME)


def id_or_null(column: pa.Array, width: int) -> pa.Array:
    """An id of exactly `width` bytes that is not all zero; anything else becomes null."""
    if _are_ids(column, width):
        return column
    right = pc.equal(pc.binary_length(column), width)
    zero = pc.equal(column, pa.scalar(b"\0" * width, pa.binary()))
    return pc.if_else(pc.and_(right, pc.invert(zero)), column, pa.scalar(None, pa.binary()))


def _are_ids(column: pa.Array, width: int) -> bool:
    """Whether every value is there, `width` bytes long and not zero: what nearly every batch is."""
    if column.null_count:
        return False
    _, offsets, content = column.buffers()
    of_rows = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    if content is None or (np.diff(of_rows) != width).any():
        return False
    ids = np.frombuffer(content, np.uint8)[of_rows[0] : of_rows[-1]].reshape(-1, width)
    return bool(ids.any(axis=1).all())


def nested(lists: pa.ListArray, structs: pa.StructArray) -> pa.ListArray:
    """A list column with the offsets of `lists` over new values."""
    offsets = lists.offsets.to_numpy()
    return pa.ListArray.from_arrays(pa.array(offsets - offsets[0], pa.int32()), structs)


def values_of(lists: pa.ListArray) -> pa.Array:
    """The values under a list column, without what lies outside its offsets."""
    offsets = lists.offsets.to_numpy()
    return lists.values.slice(offsets[0], offsets[-1] - offsets[0])


def enum_codes(column: pa.Array, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Enumeration numbers, those that are not below `count` as 0, and which are not (bool); one each per row.

    Protobuf's enumerations are open: any number may come.
    """
    codes = (column.fill_null(0) if column.null_count else column).to_numpy()
    is_unknown = (codes < 0) | (codes >= count)
    return (np.where(is_unknown, 0, codes) if is_unknown.any() else codes), is_unknown


def enum_text(column: pa.Array, names: tuple[str, ...]) -> tuple[pa.Array, np.ndarray]:
    """Enumeration numbers as names, those we do not know as the first name, and which those are."""
    codes, is_unknown = enum_codes(column, len(names))
    return _texts(names).take(pa.array(codes)), is_unknown


def is_ahead(times: pa.Array | pa.ChunkedArray, received_us: int) -> np.ndarray:
    """Which times (bool per row) lie more than an hour after their arrival: the sender's clock must be wrong.

    `received_us` is in UTC microseconds.
    """
    us = times.cast(pa.int64()).fill_null(0).to_numpy()
    return us > received_us + MAX_AHEAD_US


@cache
def _texts(names: tuple[str, ...]) -> pa.Array:
    return pa.array(names, pa.string())


def is_null(column: pa.Array) -> np.ndarray:
    """A bool per row, true where the column is null."""
    if not column.null_count:
        return np.zeros(len(column), dtype=bool)
    return column.is_null().to_numpy(zero_copy_only=False)


def none_if_empty(column: pa.Array) -> pa.Array:
    """Protobuf's empty string means not set."""
    if column.null_count == len(column) or not _has_empty(column):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _has_empty(texts: pa.Array) -> bool:
    """Whether a text is empty; a null counts, because it takes no room either."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)
    return not np.diff(offsets[texts.offset : texts.offset + len(texts) + 1]).all()
