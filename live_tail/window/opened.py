"""Batches that somebody has opened already: whoever comes second need not unseal them again.

Here: a bounded shelf between the fast lane, which looks at every commit at once, and the window,
which takes in what has gathered. Not here: reading the spool (`follow`, `alerts/fast_lane`). What
is not on the shelf is opened from the spool: leaving something off costs time, never a row.
"""

import threading

import pyarrow as pa

_MAX_ROWS = 20_000


class Opened:
    """Tables by seq, as they were after so many erasures."""

    def __init__(self, max_rows: int = _MAX_ROWS) -> None:
        self._max_rows = max_rows
        self._rows = 0
        self._tables: dict[int, tuple[int, pa.Table]] = {}
        self._taken_seq = 0
        self._lock = threading.Lock()

    def put(self, seq: int, erasures: int, table: pa.Table) -> None:
        """Keep a table while there is room and nobody has passed it."""
        with self._lock:
            has_room = self._rows + table.num_rows <= self._max_rows
            if has_room and seq > self._taken_seq and seq not in self._tables:
                self._tables[seq] = (erasures, table)
                self._rows += table.num_rows

    def take(self, seq: int, erasures: int) -> pa.Table | None:
        """The table of a batch, once; None when it is not here or from before an erasure."""
        with self._lock:
            before, table = self._tables.pop(seq, (erasures, None))
            if table is not None:
                self._rows -= table.num_rows
            return table if before == erasures else None

    def pass_by(self, seq: int) -> None:
        """Nobody will ask for what lies up to a seq."""
        with self._lock:
            self._taken_seq = seq
            for known in [s for s in self._tables if s <= seq]:
                self._rows -= self._tables.pop(known)[1].num_rows
