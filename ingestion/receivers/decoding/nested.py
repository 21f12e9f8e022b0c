"""Small Arrow helpers for nested OTLP columns, and the origin columns every signal shares.

Here: walking lists with their parents, times, ids, resources and scopes. Not here: what a span,
log record or metric point is made of (`flatten_*`).
"""

import json
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.common import TIME
from privacy.gate.columns import Gate
from privacy.gate.counts import Owners

MAX_EVENT_US = 7_258_118_400_000_000  # 2200-01-01
MAX_AHEAD_US = 3_600_000_000
_UNKNOWN_SERVICE = "unknown_service"
_COMPONENT = ("service.name",)
_PROMOTED = {
    "component_version": ("service.version",),
    "component_instance": ("service.instance.id",),
    "host": ("host.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
}


@dataclass(frozen=True)
class Rejection:
    """Items refused one by one, with the reason that the ledger and the answer name.

    Of items that are taken though something about them is odd, the same is told as a note.
    """

    body: int
    component: str
    reason: str
    items: int


@dataclass(frozen=True)
class Flat:
    """One signal's gated table, the body each row came from, what was rejected and what is odd.

    `arrived` counts items by component before any was judged.
    """

    table: pa.Table
    body_of_row: np.ndarray
    rejections: list[Rejection]
    notes: list[Rejection] = field(default_factory=list)
    arrived: dict[str, int] = field(default_factory=dict)

    def without(self, is_refused: list[bool], reason: str) -> "Flat":
        """The same without the marked rows, which become rejections."""
        components = self.table.column("component").combine_chunks()
        keep, refused = reject(
            {reason: np.array(is_refused, dtype=bool)}, components, self.body_of_row
        )
        return Flat(
            self.table.filter(pa.array(keep)),
            self.body_of_row[keep],
            self.rejections + refused,
            self.notes,
            self.arrived,
        )


@dataclass(frozen=True)
class Scopes:
    """The scope level of a request batch: the column below it, its origin columns and components."""

    column: pa.StructArray
    body_of_scope: np.ndarray
    origin: dict[str, pa.Array]
    owners: Owners


def children(lists: pa.ListArray) -> tuple[pa.Array, np.ndarray]:
    """The flattened values of a list column and the parent row of each."""
    if lists.null_count:
        return lists.flatten(), pc.list_parent_indices(lists).to_numpy()
    lengths = np.diff(lists.offsets.to_numpy())
    return values_of(lists), np.arange(len(lists)).repeat(lengths)


def field_of(structs: pa.StructArray, name: str) -> pa.Array:
    """A field, null where its struct is; a tenth of the cost where no struct is null."""
    return pc.struct_field(structs, name) if structs.null_count else structs.field(name)


def spread(columns: dict[str, pa.Array], rows: np.ndarray) -> dict[str, pa.Array]:
    """The columns at the given rows; as they are when that is each row once and in order."""
    count = len(next(iter(columns.values())))
    if len(rows) == count and np.array_equal(rows, np.arange(count)):
        return columns
    places = pa.array(rows)
    return {name: column.take(places) for name, column in columns.items()}


def open_scopes(batch: pa.RecordBatch, scopes_field: str, gate: Gate) -> Scopes:
    """Resources and scopes of a decoded batch, gated; `scopes_field` is e.g. `scope_spans`."""
    resources, body_of_resource = children(batch.column(0))
    origin = _resource_columns(field_of(resources, "resource"), gate)
    scopes, resource_of_scope = children(resources.field(scopes_field))
    columns = dict(spread(origin, resource_of_scope))
    scope = field_of(scopes, "scope")
    owners = Owners.of(columns["component"])
    for name in ("name", "version"):
        given = none_if_empty(field_of(scope, name))
        columns[f"scope_{name}"] = gate.tokens(given, f"scope {name}", owners)
    return Scopes(scopes, body_of_resource[resource_of_scope], columns, owners)


def component_of(batch: pa.RecordBatch, gate: Gate) -> str:
    """The component of a decoded batch of one resource."""
    resources, _ = children(batch.column(0))
    return _resource_columns(field_of(resources, "resource"), gate)["component"][0].as_py()


def origin_of(scopes: Scopes, scope_of_row: np.ndarray, received_us: int) -> dict[str, pa.Array]:
    """The shared origin columns for rows that belong to these scopes."""
    received = pa.array(np.full(len(scope_of_row), received_us, np.int64)).view(TIME)
    return {**spread(scopes.origin, scope_of_row), "received_at": received}


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
    """Enumeration numbers, those that are not below `count` as 0, and which are not.

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
    """Which times lie so far ahead of their arrival that the sender's clock must be wrong."""
    us = times.cast(pa.int64()).fill_null(0).to_numpy()
    return us > received_us + MAX_AHEAD_US


@cache
def _texts(names: tuple[str, ...]) -> pa.Array:
    return pa.array(names, pa.string())


def reject(
    reasons: dict[str, np.ndarray], components: pa.Array, body_of_row: np.ndarray
) -> tuple[np.ndarray, list[Rejection]]:
    """Rows to keep, and the rejections by body, component and first reason that applies."""
    keep = np.ones(len(body_of_row), dtype=bool)
    rejections: list[Rejection] = []
    for reason, is_bad in reasons.items():
        rows = np.flatnonzero(is_bad & keep)
        if not len(rows):
            continue
        keep[rows] = False
        named = components.take(pa.array(rows)).dictionary_encode()
        names = named.dictionary.to_pylist()
        cells = body_of_row[rows] * len(names) + named.indices.to_numpy()
        for cell, items in zip(*np.unique(cells, return_counts=True), strict=True):
            body, name = divmod(int(cell), len(names))
            rejections.append(Rejection(body, names[name], reason, int(items)))
    return keep, rejections


def finish(
    table: pa.Table,
    schema: pa.Schema,
    reasons: dict[str, np.ndarray],
    body_of_row: np.ndarray,
    odd: dict[str, np.ndarray],
) -> Flat:
    """The table without rejected rows, cast to its contract, and notes of what is `odd` in the others."""
    components = table.column("component").combine_chunks()
    keep, rejections = reject(reasons, components, body_of_row)
    notes = [
        note
        for reason, is_odd in odd.items()
        if is_odd.any()
        for note in reject({reason: is_odd & keep}, components, body_of_row)[1]
    ]
    if not keep.all():
        table, body_of_row = table.filter(pa.array(keep)), body_of_row[keep]
    arrived = {row["values"]: row["counts"] for row in pc.value_counts(components).to_pylist()}
    return Flat(as_contract(table, schema), body_of_row, rejections, notes, arrived)


def as_contract(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table cast to a schema, column by column where a column is not of its type yet.

    Raises ValueError, as a cast does, for a null where the contract has none.
    """
    columns = []
    for column, wanted in zip(table.columns, schema, strict=True):
        is_broken = not wanted.nullable and column.null_count
        columns.append(column if column.type == wanted.type and not is_broken else None)
    if any(column is None for column in columns):
        return table.cast(schema)
    return pa.Table.from_arrays(columns, schema=schema)


def is_null(column: pa.Array) -> np.ndarray:
    """Null mask as numpy."""
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


def _resource_columns(resource: pa.StructArray, gate: Gate) -> dict[str, pa.Array]:
    lists = field_of(resource, "attributes")
    if lists.null_count:
        lists = lists.fill_null([])
    rows: list[dict[str, str]] = []

    def find_owners(made: pa.MapArray) -> Owners:
        rows.extend(_rows_of(made))
        return Owners.of(_component_of(rows))

    if not len(gate.attributes(lists, "resource", find_owners).keys):
        rows = [{}] * len(lists)  # the gate asks for no owner where there is nothing to own
    columns = {
        name: pa.array([_first(row, keys) for row in rows], pa.string())
        for name, keys in _PROMOTED.items()
    }
    columns["component"] = _component_of(rows)
    columns["resource_attributes"] = pa.array(
        [json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows], pa.string()
    )
    return columns


def _rows_of(maps: pa.MapArray) -> list[dict[str, str]]:
    """Maps of text as dictionaries; a key that comes twice has its last value."""
    entries = list(zip(maps.keys.to_pylist(), maps.items.to_pylist(), strict=True))
    return [dict(entries[a:b]) for a, b in pairwise(maps.offsets.to_pylist())]


def _component_of(rows: list[dict[str, str]]) -> pa.Array:
    names = [_first(row, _COMPONENT) or _UNKNOWN_SERVICE for row in rows]
    return pa.array(names, pa.string())


def _first(row: dict[str, str], keys: tuple[str, ...]) -> str | None:
    return next((row[key] for key in keys if row.get(key)), None)
