"""Which items the window knows already: a repetition is recognised for as long as it can matter.

Here: keys of items, and remembering them by 5-second bucket in eight bytes each. Not here: what is
done with new items (`window`). An item's time is part of it, so its repetition falls into the same
bucket, and only buckets that new items fall into are compared.
"""

import numpy as np

from ingestion.meaning.item_identity import SAME
from live_tail.window.rows.arrow_columns import Rows, hashed, mixed


def keys_of(signal: str, rows: Rows) -> np.ndarray:
    """A key for each row; the same item twice within one batch is two items."""
    keys = hashed(rows[name] for name in SAME[signal])
    in_batch = mixed(keys + rows["batch_seq"].to_numpy().view(np.uint64))
    if len(np.unique(in_batch)) == len(in_batch):
        return mixed(keys + np.uint64(1))
    order = np.argsort(in_batch, kind="stable")
    ordered = in_batch[order]
    is_first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    place = np.arange(len(order))
    nth = np.empty(len(order), np.uint64)
    nth[order] = place - np.maximum.accumulate(np.where(is_first, place, 0)) + 1
    return mixed(keys + nth)


class Seen:
    """Keys by bucket, sorted."""

    def __init__(self) -> None:
        self._known: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    def is_new(self, keys: np.ndarray, buckets: np.ndarray) -> np.ndarray:
        """Mask: the first of its key here, and not known in its bucket."""
        new = np.zeros(len(keys), bool)
        new[np.unique(keys, return_index=True)[1]] = True
        for bucket in np.unique(buckets):
            known = self._known.get(int(bucket))
            if known is not None:
                here = buckets == bucket
                new[here] &= ~_is_in(keys[here], known)
        return new

    def is_new_anywhere(self, keys: np.ndarray) -> np.ndarray:
        """Mask: the first of its key here, and known in no bucket."""
        new = np.zeros(len(keys), bool)
        new[np.unique(keys, return_index=True)[1]] = True
        for known in self._known.values():
            new &= ~_is_in(keys, known)
        return new

    def add(self, keys: np.ndarray, buckets: np.ndarray) -> None:
        """Remember keys."""
        for bucket in np.unique(buckets):
            known = self._known.get(int(bucket), np.empty(0, np.uint64))
            self._known[int(bucket)] = np.sort(np.concatenate([known, keys[buckets == bucket]]))

    def forget(self, before_us: int) -> None:
        """Forget the buckets before a time."""
        self._known = {b: k for b, k in self._known.items() if b >= before_us}


def _is_in(keys: np.ndarray, known: np.ndarray) -> np.ndarray:
    if not len(known):
        return np.zeros(len(keys), bool)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return known[places] == keys
