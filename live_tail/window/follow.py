"""Following the spool: the window takes in what was committed when somebody asks.

Here: the cursor, who may take in when, and what happens to a batch that cannot be opened. Not here:
the window's tables. The cursor lives in memory: after a restart the window is rebuilt from the spool,
whose drained rows stay for that purpose.

A reader (`live_tail/http/live_api`) and a round of rules (`live_tail/alerts/desk/service`) take in before
they look, so what gathers meanwhile costs one round of work however many batches it came in. The thread
here works only when nobody asks: after a start, and when what waits has become much or old.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.processes.lean import give_back_memory
from ingestion.spool import Spool, SpoolBatch
from live_tail.window.opened import Opened
from live_tail.window.window import Window
from privacy.keys.key_store import KeyDestroyed, KeyProblem
from privacy.process_log.log import logger

_log = logger()
_LOOK_S = 1.0
_TIDY_S = 60
# So much, or for so long, may wait while nobody asks.
_MUCH_ROWS, _LONG_S = 20_000, 20.0
# A reader's own bound: who is further behind is not ready.
_READY_S = 5
# Many small batches or few large ones: a round costs the same, and its memory is bounded.
_ROUND_BATCHES, _ROUND_ROWS = 2_000, 10_000
# So many rows who asks waits for, in rounds.
_ASKED_ROWS = 50_000
# After so many rows what their rounds have freed goes back to the system, and the window is tidied.
_TRIM_ROWS, _TIDY_ROWS = 50_000, 200_000
# A round that fails for a passing reason is tried again as a whole.
_TRIES = 3


class Follower:
    """Feeds a window from a spool; `step` does one round, `take_in` one for who asks."""

    def __init__(
        self,
        spool: Spool,
        window: Window,
        *,
        fresh_ms: int = 0,
        opened: Opened | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Who asks within `fresh_ms` of the last time is answered from the window as it is."""
        self._spool, self._window, self._fresh_s = spool, window, fresh_ms / 1_000
        self._opened = opened or Opened()
        self._monotonic, self._clock = monotonic, clock
        self._stopping = threading.Event()
        self._taking = threading.RLock()
        self._taken_s = -1e9
        self._tidied_s = monotonic()
        self._seen = -1
        self._tries = 0
        self._taken_rows = self._trimmed_rows = self._tidied_rows = 0
        self._erasures = spool.erasures()
        self._pending_since, self._pending = (-1, -1), (0, 0)
        self.live_seq = 0
        self.last_commit_at: datetime | None = None
        self.unreadable = 0
        window.recent.read = self._again

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    def run(self) -> None:
        """Do what nobody asked for until stopped; errors are logged by their type and tried again."""
        while not self._stopping.is_set():
            try:
                is_behind = self.look()
            except Exception as error:  # noqa: BLE001 - the live view must outlive one bad round
                _log.error("a round failed, trying again", cause=type(error).__name__)
                is_behind = False
            if not is_behind:
                self._stopping.wait(_LOOK_S)

    def look(self) -> bool:
        """Take in what is much or old, tidy once a minute or after much; whether as much waits still.

        With nothing new since the last look neither spool nor window are asked for anything.
        """
        is_much = self._taken_rows - self._tidied_rows >= _TIDY_ROWS
        if is_much or self._monotonic() - self._tidied_s > _TIDY_S:
            self._tidied_s, self._tidied_rows = self._monotonic(), self._taken_rows
            self._window.tidy()
            give_back_memory()
        version = self._spool.version()
        if version == self._seen:
            return False
        rows, oldest_us = self._spool.waiting(self.live_seq)
        if not self._is_due(rows, oldest_us):
            # What waits now becomes old without another commit.
            self._seen = version if oldest_us is None else -1
            return False
        self.step()
        return True

    def take_in(self, *, unless_fresh: bool = True) -> None:
        """Bring the window up to what is committed now, for somebody who is about to look.

        A few rounds at most: after a restart a reader does not wait for the whole spool. A failure
        is logged; the age of what is shown tells the reader.
        """
        with self._taking:
            if unless_fresh and self._monotonic() - self._taken_s < self._fresh_s:
                return
            try:
                before, last = self._taken_rows, self._spool.last_seq()
                while self.step() and self.live_seq < last:
                    if self._taken_rows - before >= _ASKED_ROWS:
                        break
            except Exception as error:  # noqa: BLE001 - an older answer is better than none
                _log.error("a round failed, trying again", cause=type(error).__name__)

    def step(self) -> int:
        """Read and ingest what is new, one round at most; returns batches read.

        After an erasure everything is read again: no hot table may remember the erased rows.
        """
        with self._taking:
            self._taken_s = self._monotonic()
            erasures = self._spool.erasures()
            if erasures != self._erasures:
                self._window.reset()
                self.live_seq, self._erasures = 0, erasures
            batches = list(self._spool.read(self.live_seq, limit=self._round_size()))
            self._tries += 1
            for signal, some in _by_signal(batches).items():
                opened = [(b.seq, table) for b in some if (table := self._open(b)) is not None]
                if opened:
                    self._ingest(signal, opened)
            self._tries = 0
            if batches:
                self.live_seq = batches[-1].seq
                self.last_commit_at = datetime.fromtimestamp(batches[-1].received_us / 1e6, UTC)
                self._opened.pass_by(self.live_seq)
                self._note_taken(sum(batch.row_count for batch in batches))
            return len(batches)

    def _note_taken(self, rows: int) -> None:
        self._taken_rows += rows
        if self._taken_rows - self._trimmed_rows >= _TRIM_ROWS:
            self._trimmed_rows = self._taken_rows
            give_back_memory()

    @property
    def lag_ms(self) -> float | None:
        """How long the oldest batch that the window lacks has waited; None before the first one."""
        waiting_us = self._spool.waiting(self.live_seq)[1]
        if waiting_us is None:
            return None if self.last_commit_at is None else 0.0
        return max(self._clock() * 1e3 - waiting_us / 1e3, 0.0)

    def is_caught_up(self) -> bool:
        """Whether everything committed is in the window."""
        return self.live_seq >= self._spool.last_seq()

    def is_ready(self) -> bool:
        """Whether a reader who asks now sees everything: taking in what waits is a matter of rounds.

        What waits for longer than it may while nobody asks is not being taken in at all.
        """
        rows, oldest_us = self._spool.waiting(self.live_seq)
        is_stuck = oldest_us is not None and self._age_s(oldest_us) > _LONG_S + _READY_S
        return rows <= _ASKED_ROWS and not is_stuck

    def freshness(self) -> dict[str, object]:
        """Where the live view stands, as the one row of query `freshness`."""
        return {
            "spool_last_seq": self._spool.last_seq(),
            "live_seq": self.live_seq,
            "drained_seq": self._spool.drained_seq(),
            "pending_items": self._pending_items(),
            "lag_ms": self.lag_ms,
            "last_commit_at": self.last_commit_at,
            "newest_event_at": self._window.newest_event_at,
            "window_from_at": self._window.starts_at(),
            "unreadable_batches": self.unreadable,
            "refused_rows": self._window.refused,
            **{
                f"{name}_items": self._window.counts[name]
                for name in ("late", "future", "duplicate")
            },
        }

    def _pending_items(self) -> int:
        """Rows that the lake lacks; only those that came since the last question are counted anew."""
        with self._taking:
            mark = (self._spool.drained_seq(), self._spool.erasures())
            if mark != self._pending_since:
                self._pending_since, self._pending = mark, (mark[0], 0)
            (counted, rows), last = self._pending, self._spool.last_seq()
            self._pending = (last, rows + self._spool.rows_between(counted, last))
            return self._pending[1]

    def _is_due(self, rows: int, oldest_us: int | None) -> bool:
        return rows >= _MUCH_ROWS or (oldest_us is not None and self._age_s(oldest_us) >= _LONG_S)

    def _age_s(self, received_us: int) -> float:
        return self._clock() - received_us / 1e6

    def _round_size(self) -> int:
        rows = 0
        sizes = self._spool.sizes(self.live_seq, limit=_ROUND_BATCHES)
        for taken, (_, row_count) in enumerate(sizes, start=1):
            rows += row_count
            if rows >= _ROUND_ROWS:
                return taken
        return max(len(sizes), 1)

    def _ingest(self, signal: str, opened: list[tuple[int, pa.Table]]) -> None:
        """Into the window; when that fails again and again, without what makes it fail."""
        try:
            self._window.ingest(signal, opened)
        except Exception:
            if self._tries < _TRIES:
                raise
            for seq, table in opened:
                self._ingest_alone(signal, seq, table)

    def _ingest_alone(self, signal: str, seq: int, table: pa.Table) -> None:
        """One batch; of one that fails, each component alone: one sender's rows hide nobody else's."""
        try:
            self._window.ingest(signal, [(seq, table)])
        except Exception as error:  # noqa: BLE001 - one bad batch must not hide all that follow
            components = table.column("component").unique()
            if len(components) > 1:
                for component in components:
                    rows = table.filter(pc.equal(table.column("component"), component))
                    self._ingest_alone(signal, seq, rows)
                return
            self.unreadable += 1
            cause = type(error).__name__
            _log.error("a spool batch cannot be taken in and is skipped", seq=seq, cause=cause)

    def _again(self, seqs: Sequence[int]) -> Iterator[tuple[str, pa.Table]]:
        """Batches that were taken in before, as far as the spool still holds them."""
        for batch in self._spool.these(seqs):
            try:
                yield batch.signal, batch.table()
            except KeyDestroyed:
                continue  # its day has expired: nothing of it may be told any more

    def _open(self, batch: SpoolBatch) -> pa.Table | None:
        opened = self._opened.take(batch.seq, self._erasures)
        if opened is not None:
            return opened
        try:
            return batch.table()
        except KeyProblem:
            self.unreadable += 1
            _log.warning("a spool batch cannot be opened and is skipped", seq=batch.seq)
            return None


def _by_signal(batches: list[SpoolBatch]) -> dict[str, list[SpoolBatch]]:
    """What the window takes in; counts last, for a round that is tried again counts them twice."""
    found: dict[str, list[SpoolBatch]] = {}
    for batch in batches:
        found.setdefault(batch.signal, []).append(batch)
    found.pop("gate_decisions", None)  # for the privacy page, which reads the marts
    ledger = found.pop("ledger", None)
    return found | ({"ledger": ledger} if ledger else {})
