"""Entries of attribute maps, treated as their keys' rulings say.

Here: which entries stay, with which text, and what differs from its ruling. Not here: rulings and counts
(`columns`), what a treatment does to one string (`treatments`). Columns have one row for each entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from privacy.gate.allow_list import Decision, Treatment
from privacy.gate.attribute_values import as_text, valid_rows
from privacy.gate.remembered import Remembered, Treatments
from privacy.gate.treatments import DROPPED

_TEXT = pa.string()
# Numbers and booleans of these pass without a look.
AS_TYPED = frozenset({Treatment.KEEP, Treatment.NAME, Treatment.SERVICE})
_SAME, _CHANGED, _DROPPED = range(3)


@dataclass(frozen=True)
class Ruling:
    """The decision about one key, the field its values are counted under, and the outcome."""

    decision: Decision
    field: str
    outcome: str


@dataclass(frozen=True)
class Treated:
    """Entries that are kept, ascending, with their texts, and what differs from its ruling."""

    positions: np.ndarray
    texts: pa.Array
    moved: Sequence[tuple[np.ndarray, str]]


def treat_few(
    treatments: Treatments, rulings: list[Ruling], codes: np.ndarray, values: pa.StructArray
) -> Treated:
    """What `treat_entries` makes, one after the other."""
    texts, is_number = as_text(values)
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
        if is_typed and treatment in AS_TYPED:
            continue
        kept[place] = treated = treatments.of(treatment)(text)
        if treated != text and treated == DROPPED:
            moved["drop"].append(place)
        elif treated != text and ruling.outcome == "keep":
            moved["scrub"].append(place)
    return Treated(
        np.array(list(kept), dtype=np.int64),
        pa.array(list(kept.values()), _TEXT),
        [(np.array(places, dtype=np.int64), outcome) for outcome, places in moved.items()],
    )


def treat_entries(
    treatments: Treatments, rulings: list[Ruling], codes: np.ndarray, values: pa.StructArray
) -> Treated:
    """What stays of a column of values whose keys have these rulings, by `codes`; one text treated once."""
    texts, is_number = as_text(values)
    decisions = [r.decision for r in rulings]
    wanted = np.array([d.treatment is not Treatment.DROP for d in decisions])[codes]
    has_text = valid_rows(texts)
    positions = np.flatnonzero(wanted & has_text)
    # A map, bytes or nothing at all: there is no form in which it could be kept.
    moved = [(np.flatnonzero(wanted & ~has_text), "drop")]
    if len(positions) == 0:
        return Treated(positions, pa.array([], _TEXT), moved)
    if len(positions) < len(texts):
        texts, codes = texts.take(pa.array(positions)), codes[positions]
        is_number = is_number[positions]
    as_is = np.array([d.treatment in AS_TYPED for d in decisions])[codes] & is_number
    if as_is.all():
        return Treated(positions, texts, moved)
    treat = [treatments.of(d.treatment) for d in decisions]
    rest = np.flatnonzero(~as_is)
    left = texts if len(rest) == len(texts) else texts.take(pa.array(rest))
    treated, fates = _treat_pairs(treat, codes[rest], left)
    keeps = np.array([r.outcome == "keep" for r in rulings])[codes[rest]]
    moved.append((positions[rest[keeps & (fates == _CHANGED)]], "scrub"))
    moved.append((positions[rest[fates == _DROPPED]], "drop"))
    if not as_is.any():
        return Treated(positions, treated, moved)
    place = np.arange(len(texts))
    place[rest] = len(texts) + np.arange(len(rest))
    texts = pa.concat_arrays([texts, treated]).take(pa.array(place))
    return Treated(positions, texts, moved)


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
    fates = fates_of(treated, [plain[v] for v in places.tolist()])
    return pa.array(treated, _TEXT).take(pa.array(where)), fates[where]


def fates_of(treated: Sequence[str], plain: Sequence[str]) -> np.ndarray:
    """For each text whether it stayed, changed or was dropped."""
    return np.array(
        [
            _SAME if new == old else _DROPPED if new == DROPPED else _CHANGED
            for new, old in zip(treated, plain, strict=True)
        ],
        dtype=np.int64,
    )
