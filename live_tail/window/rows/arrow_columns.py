"""Rows of a signal as flat columns, in Arrow and NumPy: attributes by name, hashes, groups.

Here: what any table of the hot window is computed with. Not here: what a request or a failure is
(`requests`, `evidence`, `points`, `minutes`). A few hundred rows cost a fraction of a millisecond in
each step, where a statement of SQL costs several whatever it is given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.names import attributes

BUCKET_S = 5
_BUCKET_US = BUCKET_S * 1_000_000
_MOST = 1_000_000_000_000
_TIME = pa.timestamp("us")
_ODD = np.uint64(0x9E3779B97F4A7C15)
_NULL = np.uint64(0x517CC1B727220A95)
Aggregates = Sequence[tuple[str, str]]


class Rows:
    """The rows of one signal; every attribute that is asked for is looked up once."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table.combine_chunks()
        self.count = table.num_rows
        self._columns: dict[str, pa.Array] = {}
        self._attributes: _Maps | None = None

    def __getitem__(self, name: str) -> pa.Array:
        """A column."""
        if name not in self._columns:
            self._columns[name] = _whole(self.table[name])
        return self._columns[name]

    def attribute(self, *names: str) -> pa.Array:
        """The first of these attributes that is present in each row, else null."""
        if self._attributes is None:
            self._attributes = _Maps(self["attributes"])
        return self._attributes.first(names)

    def meant(self, meaning: str) -> pa.Array:
        """The attribute that says it (`ingestion/meaning/names.yaml`), whatever its sender calls it."""
        return self.attribute(*attributes(meaning))

    def where(self, mask: np.ndarray) -> "Rows":
        """The rows that a mask keeps."""
        return self if mask.all() else Rows(self.table.filter(pa.array(mask)))

    def bucket(self, name: str) -> pa.Array:
        """The 5-second bucket of a time column."""
        return bucket_of(self[name])


class _Maps:
    """A map column: where in its flat items each key of each row stands."""

    def __init__(self, maps: pa.MapArray) -> None:
        self._items, self._count = maps.items, len(maps)
        offsets = maps.offsets.to_numpy()
        encoded = maps.keys.slice(offsets[0], offsets[-1] - offsets[0]).dictionary_encode()
        codes = encoded.indices.to_numpy()
        self._names = {name: code for code, name in enumerate(encoded.dictionary.to_pylist())}
        # Entries by name: those of one name stand together, in the order of their rows.
        order = np.argsort(codes, kind="stable")
        self._begins = np.searchsorted(codes[order], np.arange(len(self._names) + 1))
        self._places = order + offsets[0]
        self._rows = np.repeat(np.arange(self._count), np.diff(offsets))[order]
        self._found: dict[str, pa.Array | None] = {}

    def first(self, names: Iterable[str]) -> pa.Array:
        found = [column for name in names if (column := self._column(name)) is not None]
        if not found:
            return pa.nulls(self._count, pa.string())
        return found[0] if len(found) == 1 else pc.coalesce(*found)

    def _column(self, name: str) -> pa.Array | None:
        if name not in self._found:
            code = self._names.get(name)
            self._found[name] = None if code is None else self._looked_up(code)
        return self._found[name]

    def _looked_up(self, code: int) -> pa.Array:
        entries = slice(self._begins[code], self._begins[code + 1])
        at = np.full(self._count, -1, np.int64)
        at[self._rows[entries]] = self._places[entries]
        return self._items.take(pa.array(at, mask=at < 0))


def first_in_lists(lists: pa.ListArray, key: str) -> pa.Array:
    """Of each row's list of structs with a map `attributes`: the first value of a key, else null."""
    items = lists.flatten()
    found = np.full(len(lists), -1, np.int64)
    if len(items):
        values = _Maps(_attributes_of(items)).first([key])
        lengths = lists.value_lengths().fill_null(0).to_numpy()
        owners = np.repeat(np.arange(len(lists)), lengths)
        places = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
        # Backwards, so that the first of a row is the one that stays.
        found[owners[places[::-1]]] = places[::-1]
        return values.take(pa.array(found, mask=found < 0))
    return pa.nulls(len(lists), pa.string())


def _attributes_of(items: pa.StructArray) -> pa.MapArray:
    return items.field("attributes")


def concatenated(batches: Sequence[tuple[int, pa.Table]]) -> pa.Table:
    """Batches (seq, table) as one table with the column `batch_seq`."""
    tables = [
        t.append_column("batch_seq", pa.array(np.full(t.num_rows, seq, np.int64)))
        for seq, t in batches
    ]
    return pa.concat_tables(tables)


def is_set(column: pa.Array) -> np.ndarray:
    """Mask: not null."""
    return column.is_valid().to_numpy(zero_copy_only=False)


def is_true(column: pa.Array) -> np.ndarray:
    """Mask: true, and not null."""
    return column.fill_null(False).to_numpy(zero_copy_only=False)


def is_recorded(points: Rows) -> np.ndarray:
    """Mask of metric points: not those that say that nothing was recorded (bit 0 of OTLP's flags)."""
    return (points["flags"].fill_null(0).to_numpy() & 1) == 0


def equals(column: pa.Array, *values: str) -> np.ndarray:
    """Mask: one of these texts; null is none of them."""
    wanted = pc.is_in(column, value_set=pa.array(values, column.type))
    return wanted.to_numpy(zero_copy_only=False)


def mapped(column: pa.Array, work: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    """A function of each text, worked out once per distinct text; null stays null."""
    encoded = column.dictionary_encode()
    values = pa.array([work(text) for text in encoded.dictionary.to_pylist()], kind)
    return values.take(encoded.indices)


def matched(column: pa.Array, test: Callable[[str], bool]) -> np.ndarray:
    """Mask: a test of each text, made once per distinct text; null does not pass."""
    found = mapped(column, test, pa.bool_())
    return found.fill_null(False).to_numpy(zero_copy_only=False)


def integers(column: pa.Array) -> pa.Array:
    """Texts as whole numbers, as `try_cast` reads them; null for what is none, negative or too large.

    What is too large is what no call can have (`dbt/macros/attributes.sql`): sums of the rest fit.
    """
    return mapped(column, _integer, pa.int64())


def _integer(text: str) -> int | None:
    try:
        number = round(float(text))
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= _MOST else None


def bucket_of(times: pa.Array, width_us: int = _BUCKET_US) -> pa.Array:
    """Times rounded down to a bucket."""
    us = microseconds(times)
    return pa.array(us - us % width_us).cast(_TIME)


def microseconds(times: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Times without nulls as integers."""
    return times.cast(pa.int64()).to_numpy()


def grouped(
    columns: Mapping[str, pa.Array],
    keys: Sequence[str],
    aggregates: Aggregates,
    where: np.ndarray | None = None,
) -> pa.Table:
    """Groups by keys with (column, function) aggregates, in the order that was asked for."""
    rows = pa.table(dict(columns))
    if where is not None:
        rows = rows.filter(pa.array(where))
    made = rows.group_by(list(keys), use_threads=False).aggregate(list(aggregates))
    return made.select([*keys, *(f"{name}_{function}" for name, function in aggregates)])


def ones(mask: np.ndarray) -> pa.Array:
    """A mask as numbers to be summed."""
    return pa.array(mask.astype(np.int64))


def only(column: pa.Array, mask: np.ndarray) -> pa.Array:
    """A column with nulls where a mask does not hold."""
    return pc.if_else(pa.array(mask), column, pa.scalar(None, column.type))


def hashed(columns: Iterable[pa.Array]) -> np.ndarray:
    """64 bits for each row from all its columns; equal rows have equal bits, in this process."""
    total: np.ndarray | None = None
    for column in columns:
        bits = _bits(column)
        total = bits if total is None else mixed(total * _ODD + bits)
    return total if total is not None else np.empty(0, np.uint64)


def mixed(bits: np.ndarray) -> np.ndarray:
    """Every bit depends on every other (splitmix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _bits(column: pa.Array) -> np.ndarray:
    if pa.types.is_map(column.type):
        return _map_bits(column)
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        encoded = column.dictionary_encode()
        values = np.array([hash(v) for v in encoded.dictionary.to_pylist()], np.int64)
        codes = encoded.indices.fill_null(0).to_numpy()
        bits = values.view(np.uint64)[codes] if len(values) else np.zeros(len(column), np.uint64)
    elif pa.types.is_floating(column.type):
        bits = column.fill_null(0.0).to_numpy().view(np.uint64)
    else:
        bits = column.cast(pa.int64()).fill_null(0).to_numpy().view(np.uint64)
    return np.where(is_set(column), mixed(bits), _NULL)


def _map_bits(maps: pa.MapArray) -> np.ndarray:
    """Entries in their order."""
    offsets = maps.offsets.to_numpy()
    begin, size = offsets[0], offsets[-1] - offsets[0]
    offsets = offsets - begin
    keys, items = maps.keys.slice(begin, size), maps.items.slice(begin, size)
    entries = mixed(_bits(keys) * _ODD + _bits(items))
    place = np.arange(len(entries)) - np.repeat(offsets[:-1], np.diff(offsets))
    entries = mixed(entries + place.astype(np.uint64) * _ODD)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(entries, dtype=np.uint64)])
    return mixed(sums[offsets[1:]] - sums[offsets[:-1]])


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.chunks else pa.array([], column.type)
