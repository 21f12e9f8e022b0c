"""The gate over Arrow columns: attributes and texts in, only what may be kept out.

Here: applying the allow-list to whole columns, deciding once per distinct key and treating each
distinct value once, and counting what happened. Not here: where the columns come from
(`ingestion/receivers`) and what a treatment does to one string (`treatments`).
"""

import secrets
from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from privacy.detection import presidio as detect
from privacy.detection.identity import DetectorIdentity, current
from privacy.gate.allow_list import UNKNOWN, AllowList, Decision, Treatment, load_allow_list
from privacy.gate.attribute_names import MOST_REMEMBERED, ShownNames, is_plain_name
from privacy.gate.attribute_values import valid_rows
from privacy.gate.counts import UNKNOWN as NOT_LISTED
from privacy.gate.counts import FindOwners, GateCounts, Owners, Tally, outcome_of
from privacy.gate.entries import AS_TYPED, Ruling, Treated, fates_of, treat_entries, treat_few
from privacy.gate.remembered import Remembered, Treatments
from privacy.gate.repeated_keys import Once, once
from privacy.gate.turn import Turn
from privacy.keys.pseudonyms import PseudonymSource

_TEXT = pa.string()
# Longer names are decided anew each time: ten thousand of them would be a burden to remember.
_LONGEST_REMEMBERED = 256
# Up to here a look at each value costs less than the dozen passes over columns that spare it.
_FEW = 256


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
        self._rulings: dict[tuple[str, str], Ruling] = {}
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

    def _made(self, level: str, rulings: list[Ruling], given: Once) -> tuple[pa.MapArray, Treated]:
        entries, count = given.entries, len(given.entries)
        self._count(level, [r.decision for r in rulings], given.codes)
        treat = treat_few if count <= _FEW else treat_entries
        treated = treat(self._treatments, rulings, given.codes, entries.field("value"))
        kept = np.zeros(count, dtype=np.int64)
        kept[treated.positions] = 1
        new_offsets = np.concatenate(([0], np.cumsum(kept)))[given.offsets]
        kept_keys = entries.field("key")
        if len(treated.positions) < count:
            kept_keys = kept_keys.take(pa.array(treated.positions))
        made = pa.MapArray.from_arrays(pa.array(new_offsets, pa.int32()), kept_keys, treated.texts)
        return made, treated

    def _rule(self, level: str, key: str) -> Ruling:
        found = self._rulings.get((level, key))
        if found is None:
            self.turn.check()
            decision, field = self._look_up(level, key)
            found = Ruling(decision, field, outcome_of(decision))
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
            elif decision.treatment not in AS_TYPED:
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
        fates = fates_of(treated, plain)
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
            owners = owners.take(np.flatnonzero(valid_rows(column)))
        fates = fates_of(
            [new for new in treated if new is not None], [old for old in values if old is not None]
        )
        self.tally.add(owners, fates, rulings)
        return pa.array(treated, _TEXT)


def _empty_maps(count: int) -> pa.MapArray:
    nothing = pa.array([], _TEXT)
    return pa.MapArray.from_arrays(pa.array(np.zeros(count + 1), pa.int32()), nothing, nothing)
