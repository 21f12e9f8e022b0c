"""How many different values of what costs memory for each value a component may have in an hour.

Here: components, their instances, span names, routes, names of attributes and metric series; what is one
too many shares `OTHER`, and is counted. Not here: how many items a body may hold (`budget`). Series are not
merged: a counter mixed from several would look as if it began anew with every point, so points of a series
that is one too many are refused. Of attributes only names that the allow-list lacks are limited: they are
what is kept of such an attribute, a row of the gate's counts for each; a listed one is counted by its entry.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.receivers.decoding.flatten import Flat
from ingestion.receivers.decoding.rejections import Rejection
from ingestion.settings.receiver import ReceiverSettings
from privacy.gate.attribute_names import OTHER

_ROUTE = "http.route"
_HOUR_US = 3_600_000_000
# All components together may have as many times what one may, and with what they had before still more.
_ALL, _WITH_OLD = 10, 4
# A part of its limit that nobody takes from a component: ten that flood leave the others so much.
_OWN = 50
_ODD = np.uint64(0x9E3779B97F4A7C15)
_SERIES = ("metric", "component_instance", "host", "environment")


@dataclass(frozen=True)
class ValueLimits:
    """New values an hour: components in all, the rest for each component."""

    components: int = 500
    instances: int = 1_000
    span_names: int = 2_000
    routes: int = 2_000
    attribute_names: int = 500
    series: int = 50_000

    @staticmethod
    def of(settings: ReceiverSettings) -> "ValueLimits":
        """As the settings say."""
        return ValueLimits(
            settings.max_components,
            settings.max_instances,
            settings.max_span_names,
            settings.max_routes,
            settings.max_attribute_names,
            settings.max_series,
        )


@dataclass
class _Known:
    """Values of one kind and owner in this hour and the one before."""

    now: set[Hashable] = field(default_factory=set)
    before: set[Hashable] = field(default_factory=set)
    new: int = 0


class NewValues:
    """One per pipeline; `limited` changes a flat table and says what it changed."""

    def __init__(self, limits: ValueLimits | None = None) -> None:
        self._limits = limits or ValueLimits()
        self._hour = -1
        self._known: dict[tuple[str, str], _Known] = {}
        self._new: dict[str, int] = {}

    def begin(self, received_us: int) -> None:
        """Set the hour of arrival; what was there in the last one is not new in the next."""
        hour = received_us // _HOUR_US
        if hour == self._hour:
            return
        self._hour, self._new = hour, {}
        self._known = {key: _Known(before=k.now) for key, k in self._known.items() if k.now}

    def component(self, name: str) -> str:
        """The name, or OTHER for a component that is one too many."""
        return name if self._has_room("component", "", name, self._limits.components) else OTHER

    def attribute_name(self, component: str, name: str) -> str:
        """What an unlisted attribute of a component is counted as: its name as shown, or OTHER."""
        limit = self._limits.attribute_names
        return name if self._has_room("attribute name", component, name, limit) else OTHER

    def limited(self, signal: str, flat: Flat) -> Flat:
        """The rows with OTHER for every value that is one too many, and notes that say how many."""
        refused = [self._renamed(r) for r in flat.rejections]
        notes = [self._renamed(n) for n in flat.notes]
        flat = Flat(flat.table, flat.body_of_row, refused, notes)
        if not flat.table.num_rows:
            return flat
        flat = self._without_components(flat)
        flat = self._instances(flat)
        if signal == "spans":
            flat = self._span_names(flat)
        if signal == "metric_points":
            return self._series(flat)
        return self._routes(flat) if signal == "spans" else flat

    def _renamed(self, told: Rejection) -> Rejection:
        return Rejection(told.body, self.component(told.component), told.reason, told.items)

    def _has_room(self, kind: str, owner: str, value: Hashable, limit: int) -> bool:
        known = self._known.setdefault((kind, owner), _Known())
        if value in known.now:
            return True
        if len(known.now) >= _WITH_OLD * limit:
            return False
        if value not in known.before:
            of_all = self._new.get(kind, 0)
            is_all_taken = of_all >= _ALL * limit and known.new >= max(limit // _OWN, 1)
            if known.new >= limit or is_all_taken:
                return False
            known.new += 1
            self._new[kind] = of_all + 1
        known.now.add(value)
        return True

    def _without_components(self, flat: Flat) -> Flat:
        column = flat.table.column("component").combine_chunks().dictionary_encode()
        names = column.dictionary.to_pylist()
        is_over = np.array([self.component(name) == OTHER != name for name in names])
        if not is_over.any():
            return flat
        rows = is_over[column.indices.to_numpy()]
        nobody = pa.nulls(flat.table.num_rows, pa.string())
        changed = _replaced(flat.table, "component", rows, pa.scalar(OTHER))
        changed = _set(
            changed,
            "component_instance",
            pc.if_else(pa.array(rows), nobody, changed.column("component_instance")),
        )
        return _noted(flat, changed, rows, "too_many_components")

    def _instances(self, flat: Flat) -> Flat:
        rows = self._over(flat, "component_instance", "instance", self._limits.instances)
        if rows is None:
            return flat
        changed = _replaced(flat.table, "component_instance", rows, pa.scalar(OTHER))
        return _noted(flat, changed, rows, "too_many_instances")

    def _span_names(self, flat: Flat) -> Flat:
        rows = self._over(flat, "name", "span name", self._limits.span_names)
        if rows is None:
            return flat
        return _noted(
            flat, _replaced(flat.table, "name", rows, pa.scalar(OTHER)), rows, "too_many_span_names"
        )

    def _over(self, flat: Flat, column: str, kind: str, limit: int) -> np.ndarray | None:
        """Which rows' values are one too many for their component; None when no row's is."""
        values = flat.table.column(column).combine_chunks()
        if values.null_count == len(values):
            return None
        rows = np.arange(len(values))
        return self._over_of(flat, rows, values, kind, limit)

    def _over_of(
        self, flat: Flat, rows: np.ndarray, values: pa.Array, kind: str, limit: int
    ) -> np.ndarray | None:
        """The same for values that belong to some rows."""
        owners = flat.table.column("component").combine_chunks().dictionary_encode()
        encoded = values.dictionary_encode()
        names, texts = owners.dictionary.to_pylist(), encoded.dictionary.to_pylist()
        codes = encoded.indices.fill_null(0).to_numpy()
        pairs = owners.indices.to_numpy()[rows].astype(np.int64) * len(texts) + codes
        if self._are_known(kind, names, texts, np.unique(pairs)):
            return None
        distinct, places = np.unique(pairs, return_inverse=True)
        is_over = np.array(
            [
                not self._has_room(kind, names[pair // len(texts)], texts[pair % len(texts)], limit)
                for pair in distinct.tolist()
            ]
        )
        if not is_over.any():
            return None
        over = is_over[places]
        return over & encoded.is_valid().to_numpy(zero_copy_only=False)

    def _are_known(self, kind: str, names: list[str], texts: list[str], pairs: np.ndarray) -> bool:
        """Whether all pairs of an owner and a value were there this hour: what is usual is quick."""
        starts = np.searchsorted(pairs, np.arange(len(names) + 1) * len(texts))
        for owner, name in enumerate(names):
            codes = pairs[starts[owner] : starts[owner + 1]] - owner * len(texts)
            known = self._known.get((kind, name))
            if known is None or not known.now.issuperset([texts[code] for code in codes.tolist()]):
                return False
        return True

    def _routes(self, flat: Flat) -> Flat:
        maps = flat.table.column("attributes").combine_chunks()
        places = np.flatnonzero(pc.equal(maps.keys, _ROUTE).to_numpy(zero_copy_only=False))
        if not len(places):
            return flat
        rows_of_entries = np.arange(len(maps)).repeat(np.diff(maps.offsets.to_numpy()))
        rows = rows_of_entries[places]
        routes = maps.items.take(pa.array(places))
        over = self._over_of(flat, rows, routes, "route", self._limits.routes)
        if over is None:
            return flat
        entries = np.zeros(len(maps.items), dtype=bool)
        entries[places[over]] = True
        items = pc.if_else(pa.array(entries), pa.scalar(OTHER), maps.items)
        made = pa.MapArray.from_arrays(maps.offsets, maps.keys, items)
        is_changed = np.zeros(len(maps), dtype=bool)
        is_changed[rows[over]] = True
        return _noted(flat, _set(flat.table, "attributes", made), is_changed, "too_many_routes")

    def _series(self, flat: Flat) -> Flat:
        owners = flat.table.column("component").combine_chunks().dictionary_encode()
        keys = _series_keys(flat.table)
        is_over = np.zeros(len(keys), dtype=bool)
        for code, name in enumerate(owners.dictionary.to_pylist()):
            rows = np.flatnonzero(owners.indices.to_numpy() == code)
            distinct, first, places = np.unique(keys[rows], return_index=True, return_inverse=True)
            # Who comes first has room first, whatever the bits of its series are.
            order = np.argsort(first)
            found = self._room_for_series(name, distinct[order].tolist())
            if found is not None:
                is_over[rows[~found[np.argsort(order)][places]]] = True
        return flat.without(is_over.tolist(), "too_many_series") if is_over.any() else flat

    def _room_for_series(self, owner: str, keys: Sequence[int]) -> np.ndarray | None:
        known = self._known.get(("series", owner))
        if known is not None and known.now.issuperset(keys):
            return None
        limit = self._limits.series
        return np.array([self._has_room("series", owner, key, limit) for key in keys])


def _noted(flat: Flat, table: pa.Table, rows: np.ndarray, reason: str) -> Flat:
    """The changed table, with a note for each component and body of the rows that were changed."""
    marked = Flat(table, flat.body_of_row, []).without(rows.tolist(), reason)
    return Flat(table, flat.body_of_row, flat.rejections, flat.notes + marked.rejections)


def _replaced(table: pa.Table, name: str, rows: np.ndarray, value: pa.Scalar) -> pa.Table:
    return _set(table, name, pc.if_else(pa.array(rows), value, table.column(name)))


def _set(table: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), column)


def _series_keys(table: pa.Table) -> np.ndarray:
    """64 bits for the series of each point; equal series have equal bits in this process."""
    total = _map_bits(table.column("attributes").combine_chunks())
    for name in _SERIES:
        total = total * _ODD + _text_bits(table.column(name).combine_chunks())
    return total.view(np.int64)


def _map_bits(maps: pa.MapArray) -> np.ndarray:
    """Sums of the entries' bits, so that their order does not matter."""
    entries = _text_bits(maps.keys) * _ODD + _text_bits(maps.items)
    entries ^= entries >> np.uint64(29)
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(entries * _ODD, dtype=np.uint64)))
    offsets = maps.offsets.to_numpy()
    return sums[offsets[1:]] - sums[offsets[:-1]]


def _text_bits(texts: pa.Array) -> np.ndarray:
    encoded = texts.dictionary_encode()
    bits = np.array([hash(text) for text in encoded.dictionary.to_pylist()], np.int64)
    if not len(bits):
        return np.zeros(len(texts), np.uint64)
    return bits.view(np.uint64)[encoded.indices.fill_null(0).to_numpy()]
