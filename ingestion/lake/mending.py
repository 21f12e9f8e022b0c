"""Batches of an older receiver as today's receiver would have made them.

Here: what a later stage cannot read though a receiver once accepted it, put right in a landed table.
Not here: doing the same at the door (`receivers/`, `privacy/gate/repeated_keys`), batches that nothing can
be made of (`set_aside`).
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from privacy.gate.repeated_keys import once

Repair = Callable[[pa.Array], pa.Array]


def mended(table: pa.Table) -> pa.Table:
    """The table with each key once in every map: of a key that comes twice the last value stays."""
    columns = [_mended(column) for column in table.combine_chunks().columns]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _mended(column: pa.ChunkedArray) -> pa.ChunkedArray:
    repair = _repair_of(column.type)
    if repair is None:
        return column
    return pa.chunked_array([repair(chunk) for chunk in column.chunks], column.type)


def _repair_of(kind: pa.DataType) -> Repair | None:
    """What puts an array of a type right; None where no map is in it."""
    if pa.types.is_map(kind):
        return _without_repeats
    if pa.types.is_list(kind):
        inner = _repair_of(kind.value_type)
        return None if inner is None else lambda lists: _with_items(lists, inner)
    if pa.types.is_struct(kind):
        repairs = [_repair_of(kind.field(n).type) for n in range(kind.num_fields)]
        return _with_fields(repairs) if any(repairs) else None
    return None


def _without_repeats(maps: pa.MapArray) -> pa.MapArray:
    offsets = maps.offsets.to_numpy()
    begin, size = offsets[0], offsets[-1] - offsets[0]
    keys, items = maps.keys.slice(begin, size), maps.items.slice(begin, size)
    encoded = keys.dictionary_encode()
    entries = pa.StructArray.from_arrays([keys, items], ["key", "value"])
    found = once(entries, encoded.indices.to_numpy(), offsets - begin, len(encoded.dictionary))
    if not len(found.gone_rows):
        return maps
    return pa.MapArray.from_arrays(
        pa.array(found.offsets, pa.int32()),
        found.entries.field("key"),
        found.entries.field("value"),
        maps.type,
    )


def _with_items(lists: pa.ListArray, repair: Repair) -> pa.ListArray:
    offsets = lists.offsets.to_numpy()
    items = repair(lists.values.slice(offsets[0], offsets[-1] - offsets[0]))
    made = pa.array((offsets - offsets[0]).astype(np.int32))
    return pa.ListArray.from_arrays(made, items, lists.type, mask=_nulls(lists))


def _with_fields(repairs: list[Repair | None]) -> Repair:
    def repair(structs: pa.StructArray) -> pa.StructArray:
        fields = [
            structs.field(n) if own is None else own(structs.field(n))
            for n, own in enumerate(repairs)
        ]
        return pa.StructArray.from_arrays(fields, fields=list(structs.type), mask=_nulls(structs))

    return repair


def _nulls(column: pa.Array) -> pa.Array | None:
    return column.is_null() if column.null_count else None
