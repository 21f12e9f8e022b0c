"""Attribute keys that come twice in one list: the last value counts.

Here: finding them in a whole column at once. Not here: what happens to the values that stay (`columns`).
OpenTelemetry says that keys are unique and lets an SDK be lax about it; a map with a key twice is
one that no later stage can read.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

# A mark for each pair of row and key is cheap up to here; beyond, sorting the pairs is.
_MARKS_PER_ENTRY = 256


@dataclass(frozen=True)
class Once:
    """Entries of lists, each key once a list, and the rows and codes of the entries that went."""

    entries: pa.StructArray
    codes: np.ndarray
    offsets: np.ndarray
    gone_rows: np.ndarray
    gone_codes: np.ndarray


_NONE = np.empty(0, dtype=np.int64)


def once(entries: pa.StructArray, codes: np.ndarray, offsets: np.ndarray, distinct: int) -> Once:
    """`codes` are the keys of the entries as numbers below `distinct`, lists begin at `offsets`."""
    lists = np.arange(len(offsets) - 1)
    pairs = (lists * distinct).repeat(np.diff(offsets)) + codes
    if _are_distinct(pairs, (len(offsets) - 1) * distinct):
        return Once(entries, codes, offsets, _NONE, _NONE)
    # Of each pair the last place stays: the first of the reversed order.
    _, lasts = np.unique(pairs[::-1], return_index=True)
    stays = np.zeros(len(pairs), dtype=bool)
    stays[len(pairs) - 1 - lasts] = True
    return Once(
        entries.filter(pa.array(stays)),
        codes[stays],
        np.concatenate(([0], np.cumsum(stays)))[offsets],
        lists.repeat(np.diff(offsets))[~stays],
        codes[~stays],
    )


def _are_distinct(pairs: np.ndarray, highest: int) -> bool:
    if highest > _MARKS_PER_ENTRY * len(pairs):
        return len(np.unique(pairs)) == len(pairs)
    marks = np.zeros(highest, dtype=bool)
    marks[pairs] = True
    return int(np.count_nonzero(marks)) == len(pairs)
