"""The gate over Arrow columns: attributes and texts in, only what may be kept out.

Here: applying the allow-list to whole columns, deciding once per distinct key and treating each
distinct value once, and counting what happened. Not here: where the columns come from
(`ingestion/receivers`) and what a treatment does to one string (`treatments`).
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from privacy.detection.identity import DetectorIdentity, current
from privacy.fields import AllowList, Decision, Treatment, load_allow_list
from privacy.pseudonyms import PseudonymSource
from privacy.treatments import Remembered, Treatments

_TEXT = pa.string()
_MAP = pa.map_(pa.string(), pa.string())
_MAX_ARRAY_ITEMS = 32


@dataclass
class GateCounts:
    """What the gate did, by (level, key) for listed keys and by level for unknown ones."""

    treated: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)


class Gate:
    """Applies the allow-list; one instance per thread (the memories are not shared)."""

    def __init__(self, pseudonyms: PseudonymSource, allow_list: AllowList | None = None) -> None:
        self._allow_list = allow_list or load_allow_list()
        self._treatments = Treatments(pseudonyms)
        self._decisions: dict[tuple[str, str], Decision] = {}
        self.counts = GateCounts()

    def begin(self, day: date) -> None:
        """Set the day of arrival, which chooses the pseudonym key."""
        self._treatments.begin(day)

    @property
    def detector(self) -> DetectorIdentity:
        """The detector that texts pass; the first call builds it and runs its canaries."""
        return current()

    def warm_up(self) -> None:
        """Build the detector and run its canaries now instead of at the first text."""
        current()

    def names(self, column: pa.Array) -> pa.Array:
        """Span, event and metric names: routes become templates, the rest skeletons."""
        return _map_distinct(column, self._treatments.span_name)

    def texts(self, column: pa.Array) -> pa.Array:
        """Log bodies and status messages: skeletons."""
        return _map_distinct(column, self._treatments.scrub)

    def tokens(self, column: pa.Array) -> pa.Array:
        """Enumerations, units, scope names and versions: kept when plain, else skeletons."""
        return _map_distinct(column, self._treatments.keep)

    def attributes(self, lists: pa.ListArray, level: str) -> pa.MapArray:
        """A list<KeyValue> column (as ptars decodes it) as MAP<string, string> of kept entries.

        `level` is one of `fields.LEVELS`. Row count is unchanged; dropped entries are counted.
        """
        offsets = lists.offsets.to_numpy()
        entries = lists.values.slice(offsets[0], offsets[-1] - offsets[0])
        offsets = offsets - offsets[0]
        if len(entries) == 0:
            return _empty_maps(len(lists))
        keys = entries.field("key").dictionary_encode()
        decisions = [self._decide(level, key) for key in keys.dictionary.to_pylist()]
        codes = keys.indices.to_numpy()
        positions, texts = self._treat_entries(decisions, codes, entries.field("value"), level)
        kept = np.zeros(len(entries), dtype=np.int64)
        kept[positions] = 1
        new_offsets = np.concatenate(([0], np.cumsum(kept)))[offsets]
        kept_keys = keys.dictionary.take(pa.array(codes[positions]))
        return pa.MapArray.from_arrays(pa.array(new_offsets, pa.int32()), kept_keys, texts)

    def _treat_entries(
        self, decisions: list[Decision], codes: np.ndarray, values: pa.StructArray, level: str
    ) -> tuple[np.ndarray, pa.Array]:
        """Positions that are kept, ascending, and their texts in that order."""
        self._count(level, decisions, codes)
        texts, is_number = _as_text(values)
        wanted = np.array([d.treatment is not Treatment.DROP for d in decisions])[codes]
        positions = np.flatnonzero(wanted & texts.is_valid().to_numpy(zero_copy_only=False))
        if len(positions) == 0:
            return positions, pa.array([], _TEXT)
        texts, codes = texts.take(pa.array(positions)), codes[positions]
        as_is = np.array([d.treatment is Treatment.KEEP for d in decisions])[codes]
        as_is &= is_number[positions]
        if as_is.all():
            return positions, texts
        treat = [self._treatments.of(d.treatment) for d in decisions]
        if not as_is.any():
            return positions, _treat_pairs(treat, codes, texts)
        rest = np.flatnonzero(~as_is)
        treated = _treat_pairs(treat, codes[rest], texts.take(pa.array(rest)))
        place = np.arange(len(texts))
        place[rest] = len(texts) + np.arange(len(rest))
        return positions, pa.concat_arrays([texts, treated]).take(pa.array(place))

    def _decide(self, level: str, key: str) -> Decision:
        found = self._decisions.get((level, key))
        if found is None:
            if len(self._decisions) > 50_000:
                self._decisions.clear()
            found = self._decisions[level, key] = self._allow_list.decide(level, key)
        return found

    def _count(self, level: str, decisions: list[Decision], codes: np.ndarray) -> None:
        for decision, number in zip(
            decisions, np.bincount(codes, minlength=len(decisions)), strict=True
        ):
            if not decision.is_listed:
                # The name of an unknown attribute is the sender's text: only the level is counted.
                self.counts.unknown[level] += int(number)
            elif decision.treatment is not Treatment.KEEP:
                self.counts.treated[level, decision.treatment.value, decision.reason] += int(number)


def _map_distinct(column: pa.Array, treat: Remembered) -> pa.Array:
    """The column with `treat` applied once per distinct value; nulls stay null."""
    encoded = column.dictionary_encode()
    treated = pa.array([treat(value) for value in encoded.dictionary.to_pylist()], _TEXT)
    return treated.take(encoded.indices)


def _treat_pairs(treat: list[Remembered], codes: np.ndarray, texts: pa.Array) -> pa.Array:
    """Texts treated once per distinct pair of key code and text."""
    values = texts.dictionary_encode()
    plain = values.dictionary.to_pylist()
    pairs = pa.array(codes.astype(np.int64) * len(plain) + values.indices.to_numpy())
    pairs = pairs.dictionary_encode()
    keys, places = np.divmod(pairs.dictionary.to_numpy(), len(plain))
    treated = [treat[k](plain[v]) for k, v in zip(keys.tolist(), places.tolist(), strict=True)]
    return pa.array(treated, _TEXT).take(pairs.indices)


def _as_text(values: pa.StructArray) -> tuple[pa.Array, np.ndarray]:
    """Values as text (null where there is none or it is a map or bytes) and which were typed."""
    strings = pc.struct_field(values, "string_value")
    if strings.null_count == 0:
        return strings, np.zeros(len(strings), dtype=bool)
    typed = pc.coalesce(
        pc.struct_field(values, "int_value").cast(_TEXT),
        pc.struct_field(values, "bool_value").cast(_TEXT),
        pc.struct_field(values, "double_value").cast(_TEXT),
    )
    arrays = pc.struct_field(values, ["array_value", "values"])
    texts = pc.coalesce(strings, typed)
    if arrays.null_count < len(arrays):
        texts = pc.coalesce(texts, _arrays_as_json(arrays))
    return texts, typed.is_valid().to_numpy(zero_copy_only=False)


def _arrays_as_json(arrays: pa.ListArray) -> pa.Array:
    """Arrays of scalars as JSON text; nested values are left out."""
    decoded: dict[bytes, object] = {}

    def scalar(leaf: bytes) -> object:
        if leaf not in decoded:
            value = AnyValue.FromString(leaf)
            which = value.WhichOneof("value")
            plain = which in {"string_value", "int_value", "double_value", "bool_value"}
            decoded[leaf] = getattr(value, which) if which and plain else None
        return decoded[leaf]

    texts: list[str | None] = []
    for row in arrays.to_pylist():
        items = None if row is None else [scalar(leaf) for leaf in row[:_MAX_ARRAY_ITEMS]]
        texts.append(None if items is None else json.dumps([i for i in items if i is not None]))
    return pa.array(texts, _TEXT)


def _empty_maps(count: int) -> pa.MapArray:
    nothing = pa.array([], _TEXT)
    return pa.MapArray.from_arrays(pa.array(np.zeros(count + 1), pa.int32()), nothing, nothing)
