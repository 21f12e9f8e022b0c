"""The gate over Arrow columns: attributes and texts in, only what may be kept out.

Here: applying the allow-list to whole columns, deciding once per distinct key and treating each
distinct value once, and counting what happened. Not here: where the columns come from
(`ingestion/receivers`) and what a treatment does to one string (`treatments`).
"""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from privacy.detection import presidio as detect
from privacy.detection.identity import DetectorIdentity, current
from privacy.gate.allow_list import UNKNOWN, AllowList, Decision, Treatment, load_allow_list
from privacy.gate.attribute_names import MOST_REMEMBERED, ShownNames, is_plain_name
from privacy.gate.card_numbers import without_cards
from privacy.gate.counts import UNKNOWN as NOT_LISTED
from privacy.gate.counts import FindOwners, GateCounts, Owners, Tally, outcome_of
from privacy.gate.repeated_keys import Once, once
from privacy.gate.treatments import DROPPED, Remembered, Treatments
from privacy.gate.turn import Turn
from privacy.keys.pseudonyms import PseudonymSource

_TEXT = pa.string()
_MAP = pa.map_(pa.string(), pa.string())
_MAX_ARRAY_ITEMS = 32
# Numbers and booleans of these pass without a look.
_AS_TYPED = frozenset({Treatment.KEEP, Treatment.NAME, Treatment.SERVICE})
# Longer names are decided anew each time: ten thousand of them would be a burden to remember.
_LONGEST_REMEMBERED = 256
_SAME, _CHANGED, _DROPPED = range(3)
# Up to here a look at each value costs less than the dozen passes over columns that spare it.
_FEW = 256


@dataclass(frozen=True)
class _Ruling:
    """The decision about one key, the field its values are counted under, and the outcome."""

    decision: Decision
    field: str
    outcome: str


@dataclass(frozen=True)
class _Treated:
    """Entries that are kept, ascending, with their texts, and what differs from its ruling."""

    positions: np.ndarray
    texts: pa.Array
    moved: Sequence[tuple[np.ndarray, str]]


class Gate:
    """Applies the allow-list; one instance per thread (the memories are not shared).

    `name_secret` makes the digests that stand for unknown names in the tally.
    """

    def __init__(
        self,
        pseudonyms: PseudonymSource,
        allow_list: AllowList | None = None,
        name_secret: bytes | None = None,
    ) -> None:
        self._allow_list = allow_list or load_allow_list()
        self.turn = Turn()
        self._treatments = Treatments(pseudonyms, self.turn)
        self._names = ShownNames(name_secret or secrets.token_bytes(32))
        self._rulings: dict[tuple[str, str], _Ruling] = {}
        self.counts = GateCounts()
        self.tally = Tally()

    def begin(self, day: date) -> None:
        """Set the day of arrival, which chooses the pseudonym key; the tally starts anew."""
        self._treatments.begin(day)
        self.tally.take()

    def use(self, allow_list: AllowList) -> None:
        """Decide by another allow-list from now on."""
        self._allow_list = allow_list
        self._rulings.clear()

    @property
    def detector(self) -> DetectorIdentity:
        """The detector that texts pass; the first call builds it and runs its canaries."""
        return current()

    def warm_up(self) -> None:
        """Build the detector and run its canaries now instead of at the first text."""
        current()
        detect.warm_up()

    def names(self, column: pa.Array, field: str, owners: Owners) -> pa.Array:
        """Span and event names: routes become templates, the rest skeletons."""
        rulings = [(field, "keep"), (field, "template"), (field, "drop")]
        return self._map_distinct(column, self._treatments.span_name, owners, rulings)

    def texts(self, column: pa.Array, field: str, owners: Owners) -> pa.Array:
        """Log bodies and status messages: skeletons."""
        rulings = [(field, "keep"), (field, "scrub"), (field, "drop")]
        return self._map_distinct(column, self._treatments.scrub, owners, rulings)

    def tokens(self, column: pa.Array, field: str, owners: Owners) -> pa.Array:
        """Enumerations, units, scope names and versions: kept when plain, else skeletons."""
        rulings = [(field, "keep"), (field, "scrub"), (field, "drop")]
        return self._map_distinct(column, self._treatments.name, owners, rulings)

    def drop(self, is_dropped: pa.Array, field: str, owners: Owners) -> None:
        """Count values that have no form in which they could be kept."""
        rows = np.flatnonzero(is_dropped.to_numpy(zero_copy_only=False))
        if len(rows):
            codes = np.zeros(len(rows), dtype=np.int64)
            self.tally.add(owners.take(rows), codes, [(field, "drop")])

    def attributes(
        self, lists: pa.ListArray, level: str, owners: Owners | FindOwners
    ) -> pa.MapArray:
        """A list<KeyValue> column (as ptars decodes it) as MAP<string, string> of kept entries.

        `level` is one of `fields.LEVELS`, `owners` the components of the rows. Row count is
        unchanged; dropped entries are counted.
        """
        offsets = lists.offsets.to_numpy()
        entries = lists.values.slice(offsets[0], offsets[-1] - offsets[0])
        offsets = offsets - offsets[0]
        if len(entries) == 0:
            return _empty_maps(len(lists))
        keys = entries.field("key").dictionary_encode()
        rulings = [self._rule(level, key) for key in keys.dictionary.to_pylist()]
        given = once(entries, keys.indices.to_numpy(), offsets, len(rulings))
        made, treated = self._made(level, rulings, given)
        of_rows = owners(made) if callable(owners) else owners
        named = [(r.field, r.outcome) for r in rulings]
        self.tally.add(of_rows.spread(np.diff(given.offsets)), given.codes, named, treated.moved)
        if len(given.gone_rows):
            dropped = [(r.field, r.outcome if r.outcome == NOT_LISTED else "drop") for r in rulings]
            self.tally.add(of_rows.take(given.gone_rows), given.gone_codes, dropped)
        return made

    def _made(
        self, level: str, rulings: list[_Ruling], given: Once
    ) -> tuple[pa.MapArray, _Treated]:
        entries, count = given.entries, len(given.entries)
        self._count(level, [r.decision for r in rulings], given.codes)
        treat = self._treat_few if count <= _FEW else self._treat_entries
        treated = treat(rulings, given.codes, entries.field("value"))
        kept = np.zeros(count, dtype=np.int64)
        kept[treated.positions] = 1
        new_offsets = np.concatenate(([0], np.cumsum(kept)))[given.offsets]
        kept_keys = entries.field("key")
        if len(treated.positions) < count:
            kept_keys = kept_keys.take(pa.array(treated.positions))
        made = pa.MapArray.from_arrays(pa.array(new_offsets, pa.int32()), kept_keys, treated.texts)
        return made, treated

    def _treat_few(
        self, rulings: list[_Ruling], codes: np.ndarray, values: pa.StructArray
    ) -> _Treated:
        """What `_treat_entries` makes, one after the other."""
        texts, is_number = _as_text(values)
        kept: dict[int, str] = {}
        moved: dict[str, list[int]] = {"scrub": [], "drop": []}
        entries = zip(codes.tolist(), texts.to_pylist(), is_number.tolist(), strict=True)
        for place, (code, text, is_typed) in enumerate(entries):
            ruling = rulings[code]
            treatment = ruling.decision.treatment
            if treatment is Treatment.DROP:
                continue
            if text is None:
                moved["drop"].append(place)
                continue
            kept[place] = text
            if is_typed and treatment in _AS_TYPED:
                continue
            kept[place] = treated = self._treatments.of(treatment)(text)
            if treated != text and treated == DROPPED:
                moved["drop"].append(place)
            elif treated != text and ruling.outcome == "keep":
                moved["scrub"].append(place)
        return _Treated(
            np.array(list(kept), dtype=np.int64),
            pa.array(list(kept.values()), _TEXT),
            [(np.array(places, dtype=np.int64), outcome) for outcome, places in moved.items()],
        )

    def _treat_entries(
        self, rulings: list[_Ruling], codes: np.ndarray, values: pa.StructArray
    ) -> _Treated:
        texts, is_number = _as_text(values)
        decisions = [r.decision for r in rulings]
        wanted = np.array([d.treatment is not Treatment.DROP for d in decisions])[codes]
        has_text = _is_valid(texts)
        positions = np.flatnonzero(wanted & has_text)
        # A map, bytes or nothing at all: there is no form in which it could be kept.
        moved = [(np.flatnonzero(wanted & ~has_text), "drop")]
        if len(positions) == 0:
            return _Treated(positions, pa.array([], _TEXT), moved)
        if len(positions) < len(texts):
            texts, codes = texts.take(pa.array(positions)), codes[positions]
            is_number = is_number[positions]
        as_is = np.array([d.treatment in _AS_TYPED for d in decisions])[codes] & is_number
        if as_is.all():
            return _Treated(positions, texts, moved)
        treat = [self._treatments.of(d.treatment) for d in decisions]
        rest = np.flatnonzero(~as_is)
        left = texts if len(rest) == len(texts) else texts.take(pa.array(rest))
        treated, fates = _treat_pairs(treat, codes[rest], left)
        keeps = np.array([r.outcome == "keep" for r in rulings])[codes[rest]]
        moved.append((positions[rest[keeps & (fates == _CHANGED)]], "scrub"))
        moved.append((positions[rest[fates == _DROPPED]], "drop"))
        if not as_is.any():
            return _Treated(positions, treated, moved)
        place = np.arange(len(texts))
        place[rest] = len(texts) + np.arange(len(rest))
        texts = pa.concat_arrays([texts, treated]).take(pa.array(place))
        return _Treated(positions, texts, moved)

    def _rule(self, level: str, key: str) -> _Ruling:
        found = self._rulings.get((level, key))
        if found is None:
            self.turn.check()
            decision, field = self._look_up(level, key)
            found = _Ruling(decision, field, outcome_of(decision))
            if len(key) <= _LONGEST_REMEMBERED:
                if len(self._rulings) >= MOST_REMEMBERED:
                    self._rulings.clear()
                self._rulings[level, key] = found
        return found

    def _look_up(self, level: str, key: str) -> tuple[Decision, str]:
        decision, entry = self._allow_list.look_up(level, key)
        if entry is None:
            digest = self._names.digest(key)
            hidden = self._allow_list.exact.get((level, digest))
            return hidden or UNKNOWN, digest if hidden else self._names.of(key)
        if entry != key and decision.treatment is not Treatment.DROP and not is_plain_name(key):
            # Below a prefix the rest of the name is the sender's text, and it would be stored.
            return UNKNOWN, self._names.of(key)
        return decision, entry

    def _count(self, level: str, decisions: list[Decision], codes: np.ndarray) -> None:
        for decision, number in zip(
            decisions, np.bincount(codes, minlength=len(decisions)), strict=True
        ):
            if not decision.is_listed:
                # The name of an unknown attribute is the sender's text: only the level is counted.
                self.counts.unknown[level] += int(number)
            elif decision.treatment not in _AS_TYPED:
                self.counts.treated[level, decision.treatment.value, decision.reason] += int(number)

    def _map_distinct(
        self,
        column: pa.Array,
        treat: Remembered,
        owners: Owners,
        rulings: Sequence[tuple[str, str]],
    ) -> pa.Array:
        """The column with `treat` applied once per distinct value; nulls stay null.

        `rulings` names what is counted for a value that stays, that changes and that is dropped.
        """
        if column.null_count == len(column):
            return pa.nulls(len(column), _TEXT)
        if len(column) <= _FEW:
            return self._map_few(column, treat, owners, rulings)
        encoded = column.dictionary_encode()
        plain = encoded.dictionary.to_pylist()
        treated = [treat(value) for value in plain]
        fates = _fates(treated, plain)
        if encoded.null_count:
            there = np.flatnonzero(encoded.indices.is_valid().to_numpy(zero_copy_only=False))
            owners, codes = owners.take(there), encoded.indices.take(pa.array(there)).to_numpy()
        else:
            codes = encoded.indices.to_numpy()
        self.tally.add(owners, fates[codes], rulings)
        return pa.array(treated, _TEXT).take(encoded.indices)

    def _map_few(
        self,
        column: pa.Array,
        treat: Remembered,
        owners: Owners,
        rulings: Sequence[tuple[str, str]],
    ) -> pa.Array:
        """What `_map_distinct` makes, one after the other."""
        values = column.to_pylist()
        treated = [None if value is None else treat(value) for value in values]
        if column.null_count:
            owners = owners.take(np.flatnonzero(_is_valid(column)))
        fates = _fates(
            [new for new in treated if new is not None], [old for old in values if old is not None]
        )
        self.tally.add(owners, fates, rulings)
        return pa.array(treated, _TEXT)


def _treat_pairs(
    treat: list[Remembered], codes: np.ndarray, texts: pa.Array
) -> tuple[pa.Array, np.ndarray]:
    """Texts treated once per distinct pair of key code and text, and the fate of each."""
    values = texts.dictionary_encode()
    plain = values.dictionary.to_pylist()
    pairs = codes.astype(np.int64) * len(plain) + values.indices.to_numpy()
    distinct, where = np.unique(pairs, return_inverse=True)
    keys, places = np.divmod(distinct, len(plain))
    treated = [treat[k](plain[v]) for k, v in zip(keys.tolist(), places.tolist(), strict=True)]
    fates = _fates(treated, [plain[v] for v in places.tolist()])
    return pa.array(treated, _TEXT).take(pa.array(where)), fates[where]


def _fates(treated: Sequence[str], plain: Sequence[str]) -> np.ndarray:
    return np.array(
        [
            _SAME if new == old else _DROPPED if new == DROPPED else _CHANGED
            for new, old in zip(treated, plain, strict=True)
        ],
        dtype=np.int64,
    )


def _as_text(values: pa.StructArray) -> tuple[pa.Array, np.ndarray]:
    """Values as text (null where there is none or it is a map or bytes) and which were typed."""
    strings = _field(values, "string_value")
    if strings.null_count == 0:
        return strings, np.zeros(len(strings), dtype=bool)
    texts, is_typed = strings, np.zeros(len(strings), dtype=bool)
    for name, treat in _NUMBERS.items():
        column = _field(values, name)
        if column.null_count < len(column):
            typed = treat(column).cast(_TEXT)
            is_typed |= _is_valid(typed)
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


def _is_valid(column: pa.Array) -> np.ndarray:
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


def _empty_maps(count: int) -> pa.MapArray:
    nothing = pa.array([], _TEXT)
    return pa.MapArray.from_arrays(pa.array(np.zeros(count + 1), pa.int32()), nothing, nothing)
