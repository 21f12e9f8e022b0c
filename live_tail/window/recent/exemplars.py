"""Exemplars: of each route, model and statement and each minute the slowest three and three that failed.

Here: choosing them, and forgetting what slower ones push out. Not here: what an event is (`events`), the
spans of their traces (`traces`).
"""

import numpy as np
import pyarrow as pa

from live_tail.window.recent import events
from live_tail.window.rows.arrow_columns import microseconds

MOST = 3
_MINUTE_US = 60_000_000
_SCHEMA = events.SCHEMA.append(pa.field("key", pa.uint64()))
# So many rows wait before they are compared with those of before.
_UNRANKED_ROWS = 2_000


class Exemplars:
    """The exemplars of a window, at most so many bytes; the oldest minutes go first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: list[pa.Table] = []
        self._unranked = 0

    @staticmethod
    def of(found: list[events.Events]) -> list[pa.Table]:
        """The best of a few events, by kind."""
        return [_chosen(some) for some in found]

    def add(self, tables: list[pa.Table]) -> None:
        """Take in what may be among the best."""
        for table in tables:
            self._kept.append(table)
            self._unranked += table.num_rows
        if self._unranked > _UNRANKED_ROWS:
            self.tidy(0)

    def table(self) -> pa.Table:
        """The best so far (`events.SCHEMA`), in no order."""
        self._rank()
        return (self._kept[0] if self._kept else _SCHEMA.empty_table()).select(events.SCHEMA.names)

    def traces(self) -> pa.Array:
        """Trace ids of all exemplars, some twice."""
        self._rank()
        found = self._kept[0]["trace_id"] if self._kept else pa.chunked_array([], pa.binary())
        return found.combine_chunks()

    def tidy(self, start_us: int) -> None:
        """Without what happened before a time or does not fit."""
        self._rank()
        if not self._kept:
            return
        whole = self._kept[0]
        times = microseconds(whole["event_at"])
        keep = times >= start_us
        if whole.nbytes > self._max_bytes:
            newest = int(whole.num_rows * self._max_bytes / whole.nbytes * 0.9)
            keep &= times >= np.sort(times)[-max(newest, 1)]
        if not keep.all():
            self._kept = [whole.filter(pa.array(keep)).combine_chunks()]

    def clear(self) -> None:
        """Hold nothing."""
        self._kept, self._unranked = [], 0

    def _rank(self) -> None:
        """One table of the best, whatever came."""
        if not self._unranked:
            return
        whole = pa.concat_tables(self._kept).combine_chunks()
        minutes = microseconds(whole["event_at"]) // _MINUTE_US
        durations = whole["duration_ms"].to_numpy()
        failed = whole["is_failed"].to_numpy()
        keys = whole["key"].to_numpy() + minutes.astype(np.uint64)
        mask = best(keys, durations, failed)
        self._kept = [whole if mask.all() else whole.filter(pa.array(mask)).combine_chunks()]
        self._unranked = 0


def best(keys: np.ndarray, durations: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Mask: among the slowest `MOST` of its key, or among the slowest `MOST` that failed."""
    mask = np.zeros(len(keys), bool)
    mask[_first(np.arange(len(keys)), keys, durations)] = True
    if failed.any():
        mask[_first(np.flatnonzero(failed), keys, durations)] = True
    return mask


def _first(places: np.ndarray, keys: np.ndarray, durations: np.ndarray) -> np.ndarray:
    order = places[np.lexsort((-durations[places], keys[places]))]
    ordered = keys[order]
    is_first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    place = np.arange(len(order))
    rank = place - np.maximum.accumulate(np.where(is_first, place, 0))
    return order[rank < MOST]


def _chosen(found: events.Events) -> pa.Table:
    spans, keys = found.spans, found.keys
    minutes = microseconds(spans["start_at"])[found.places] // _MINUTE_US
    durations = spans["duration_ns"].to_numpy()[found.places].astype(np.float64)
    failed = found.is_failed[found.places]
    chosen = np.flatnonzero(best(keys + minutes.astype(np.uint64), durations, failed))
    return found.rows(chosen).append_column("key", pa.array(keys[chosen]))
