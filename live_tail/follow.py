"""Following the spool: one thread that reads what was committed and feeds the window.

Here: the cursor, the loop and what happens to a batch that cannot be opened. Not here: the window's
tables. The cursor lives in memory: after a restart the window is rebuilt from the spool, whose
drained rows stay for that purpose.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa

from ingestion.spool import Spool, SpoolBatch
from live_tail.window import Window
from privacy.keys import KeyProblem
from privacy.logs import logger

_log = logger()
_TIDY_S = 30
_READY_S = 5
_BEHIND_MS = 1_000
# Many small batches or few large ones: a round costs the same, and its memory is bounded.
_ROUND_BATCHES, _ROUND_ROWS = 2_000, 50_000


class Follower:
    """Feeds a window from a spool; `step` does one round, `run` loops until `stop`."""

    def __init__(
        self,
        spool: Spool,
        window: Window,
        *,
        poll_ms: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool, self._window, self._poll_s = spool, window, poll_ms / 1_000
        self._monotonic = monotonic
        self._stopping = threading.Event()
        self._tidied_s = monotonic()
        self._erasures = spool.erasures()
        self.live_seq = 0
        self.last_commit_at: datetime | None = None
        self.lag_ms: float | None = None
        self.unreadable = 0

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    def run(self) -> None:
        """Follow until stopped; an error is counted and logged by its type, never by its text."""
        while not self._stopping.is_set():
            try:
                read = self.step()
            except Exception as error:  # noqa: BLE001 - the live view must outlive one bad round
                _log.error("a round failed, trying again", cause=type(error).__name__)
                self._stopping.wait(1)
                continue
            # A round costs much the same for one batch as for many: what comes meanwhile waits for
            # the next. Only who is behind does not pause.
            if read == 0 or (self.lag_ms or 0) < _BEHIND_MS:
                self._stopping.wait(self._poll_s)

    def step(self) -> int:
        """Read and ingest what is new; returns batches read.

        After an erasure everything is read again: no hot table may remember the erased rows.
        """
        erasures = self._spool.erasures()
        if erasures != self._erasures:
            self._window.reset()
            self.live_seq, self._erasures = 0, erasures
        batches = list(self._spool.read(self.live_seq, limit=self._round_size()))
        by_signal: dict[str, list[SpoolBatch]] = {}
        for batch in batches:
            by_signal.setdefault(batch.signal, []).append(batch)
        by_signal.pop("gate_decisions", None)  # for the privacy page, which reads the marts
        for signal, some in by_signal.items():
            opened = [(b.seq, table) for b in some if (table := self._open(b)) is not None]
            if opened:
                self._window.ingest(signal, opened)
        if batches:
            self.live_seq = batches[-1].seq
            self.last_commit_at = datetime.fromtimestamp(batches[-1].received_us / 1e6, UTC)
            self.lag_ms = max(time.time() * 1e3 - batches[-1].received_us / 1e3, 0.0)
        if self._monotonic() - self._tidied_s > _TIDY_S:
            self._window.tidy()
            self._tidied_s = self._monotonic()
        return len(batches)

    def _round_size(self) -> int:
        rows = 0
        sizes = self._spool.sizes(self.live_seq, limit=_ROUND_BATCHES)
        for taken, (_, row_count) in enumerate(sizes, start=1):
            rows += row_count
            if rows >= _ROUND_ROWS:
                return taken
        return max(len(sizes), 1)

    def is_caught_up(self) -> bool:
        """Whether everything committed is in the window."""
        return self.live_seq >= self._spool.last_seq()

    def is_ready(self) -> bool:
        """Whether nothing waits for longer than a reader would put up with, load or not."""
        waiting_us = self._spool.received_us_after(self.live_seq)
        return waiting_us is None or time.time() - waiting_us / 1e6 < _READY_S

    def freshness(self) -> dict[str, object]:
        """Where the live view stands, as the one row of query `freshness`."""
        return {
            "spool_last_seq": self._spool.last_seq(),
            "live_seq": self.live_seq,
            "drained_seq": self._spool.drained_seq(),
            "pending_items": self._spool.pending()[1],
            "lag_ms": self.lag_ms,
            "last_commit_at": self.last_commit_at,
            "newest_event_at": self._window.newest_event_at,
            "window_from_at": self._window.starts_at(),
            "unreadable_batches": self.unreadable,
            **{
                f"{name}_items": self._window.counts[name]
                for name in ("late", "future", "duplicate")
            },
        }

    def _open(self, batch: SpoolBatch) -> pa.Table | None:
        try:
            return batch.table()
        except KeyProblem:
            self.unreadable += 1
            _log.warning("a spool batch cannot be opened and is skipped", seq=batch.seq)
            return None
