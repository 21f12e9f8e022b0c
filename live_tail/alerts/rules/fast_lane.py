"""The fast lane: failures are judged as they are committed, whatever the window and the rounds do.

Here: following the spool for failed spans and records only, a small table of them, and the rules
that can be judged by it: fast ones on fact `failures` that neither wait (`for`) nor count rounds.
Not here: all other rules (`rounds`), what becomes of an alert (`manager`), sending (`notifier`).

The window learns of the same failures a little later. Until then `ahead` repeats what was found
here, so that no round takes a series for over that it cannot know yet. The cursor is kept: what
was committed while nobody looked is judged after a restart, at the time it was received.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.spool import Spool, SpoolBatch
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.evaluate import readings_of
from live_tail.alerts.rules.failing import Failures, failing
from live_tail.alerts.rules.rule_spec import Threshold, selects_of
from live_tail.alerts.words.rule_records import Labels, Reading, Rule
from live_tail.window.history import Deliveries
from live_tail.window.opened import Opened
from live_tail.window.rows.arrow_columns import concatenated
from live_tail.window.rows.evidence import tells_of_dependency
from privacy.keys.key_store import KeyProblem
from privacy.keys.state import connect
from privacy.process_log.log import logger

_log = logger()
FAILURE_FACTS = frozenset({"failures", "dependency_down"})
"""Facts that only failures can bring about."""
# A step that fails for a passing reason is tried again as a whole.
_TRIES = 3
_BATCHES = 500
_KEEP_CURSOR_S = 5.0
_LONGEST_PAUSE_S = 0.2


def is_for_fast_lane(rule: Rule) -> bool:
    """Whether a rule can be judged by failures alone, the moment one is known."""
    when = rule.spec.get("when")
    return (
        rule.is_fast
        and not rule.hold_for
        and rule.of_last == (1, 1)
        and isinstance(when, Threshold)
        and all(select.fact == "failures" for select in selects_of(when))
    )


class FastLane:
    """Follows a spool in a thread of its own; `found` is told of the readings of each step."""

    def __init__(
        self,
        spool: Spool,
        home: Path,
        rules: Callable[[], Sequence[Rule]],
        found: Callable[[Sequence[Reading]], object],
        *,
        poll_s: float = 0.1,
        opened: Opened | None = None,
        failed: Callable[[frozenset[str]], object] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`opened` is where the window finds what was opened here; `failed` hears of which facts."""
        self._spool, self._rules, self._found = spool, rules, found
        self._poll_s, self._monotonic = poll_s, monotonic
        self._opened, self._failed = opened or Opened(max_rows=0), failed
        self._db = connect(home)
        kept = self._db.execute("SELECT seq FROM alert_fast_lane").fetchone()
        self.seq = self._kept_seq = kept[0] if kept else spool.last_seq()
        self._kept_s = monotonic()
        self._seen = self._newest = -1
        self._erasures = 0
        self._failures, self._deliveries = Failures(), Deliveries()
        self._sources = Sources(self._failures)
        self._ahead: dict[tuple[str, Labels], tuple[int, Reading]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.unreadable = self._tries = 0

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    def run(self) -> None:
        """Follow until stopped; an error is logged by its type and the step tried again."""
        while not self._stopping.is_set():
            started_s = self._monotonic()
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the fast lane must outlive one bad step
                _log.error("a step of the fast lane failed", cause=type(error).__name__)
                self._stopping.wait(1)
            # However many failures there are, the others get their share of the processor.
            took_s = self._monotonic() - started_s
            self._stopping.wait(max(self._poll_s, min(took_s, _LONGEST_PAUSE_S)))
        self._keep_cursor()
        self._db.close()

    def look(self) -> int:
        """`step`, unless nobody has committed since everything was judged; returns batches read."""
        version = self._spool.version()
        if version == self._seen:
            return 0
        read = self.step()
        if self.seq >= self._newest:
            self._seen = version
        return read

    def step(self) -> int:
        """Judge what was committed since; returns batches read. The cursor follows the alerts."""
        rules = [rule for rule in self._rules() if is_for_fast_lane(rule)]
        newest = self._newest = self._spool.last_seq()
        if not rules or newest <= self.seq:
            return 0
        self._erasures = self._spool.erasures()
        batches = list(self._spool.read(self.seq, limit=_BATCHES, signals=("spans", "logs")))
        # After a pause each second is judged at its own time, as it would have been.
        self._tries += 1
        for second, some in groupby(batches, key=lambda b: b.received_us // 1_000_000):
            self._judge_or_skip(list(some), rules, datetime.fromtimestamp(second + 1, UTC))
        self._tries = 0
        read_all = len(batches) < _BATCHES
        self.seq = max(newest, self.seq) if read_all else batches[-1].seq
        if self._monotonic() - self._kept_s >= _KEEP_CURSOR_S:
            self._keep_cursor()
        return len(batches)

    def ahead(self, of_seq: int) -> tuple[Reading, ...]:
        """Readings of batches after a seq, which the window therefore cannot have."""
        with self._lock:
            self._ahead = {k: v for k, v in self._ahead.items() if v[0] > of_seq}
            return tuple(reading for _, reading in self._ahead.values())

    def is_passed(self, seq: int) -> bool:
        """Whether the window, which has read up to a seq, knows what `ahead` repeated until now."""
        with self._lock:
            return any(known <= seq for known, _ in self._ahead.values())

    def _judge_or_skip(
        self, batches: list[SpoolBatch], rules: Sequence[Rule], at: datetime
    ) -> None:
        """Judge batches; when that fails again and again, each alone, without what makes it fail."""
        try:
            self._judge(batches, rules, at)
        except Exception as error:
            if self._tries < _TRIES:
                raise
            if len(batches) > 1:
                for batch in batches:
                    self._judge_or_skip([batch], rules, at)
                return
            self.unreadable += 1
            seq, cause = batches[0].seq, type(error).__name__
            _log.error("a spool batch cannot be judged and is skipped", seq=seq, cause=cause)

    def _judge(self, batches: list[SpoolBatch], rules: Sequence[Rule], at: datetime) -> None:
        found_in = {
            signal: [
                (b.seq, rows)
                for b in batches
                if b.signal == signal and (rows := self._open(b)) is not None and rows.num_rows
            ]
            for signal in ("spans", "logs")
        }
        if not any(found_in.values()):
            return
        names_dependency = any(
            tells_of_dependency(signal, concatenated(some))
            for signal, some in found_in.items()
            if some
        )
        self._failed(FAILURE_FACTS if names_dependency else frozenset({"failures"}))
        naive = at.replace(tzinfo=None)
        before = self._readings(rules, naive)
        if not sum(self._failures.add(s, some, naive) for s, some in found_in.items() if some):
            return
        after = self._readings(rules, naive)
        # Only what these batches add: what has ended elsewhere must not begin again here.
        found = [r for k, r in after.items() if k not in before or _grew(before[k], r)]
        if found:
            with self._lock:
                self._ahead |= {(r.rule, r.labels): (batches[-1].seq, r) for r in found}
            self._found(found)
        longest = max(s.over + s.offset for r in rules for s in selects_of(r.spec["when"]))
        self._failures.tidy(naive - longest - timedelta(minutes=1))

    def _readings(self, rules: Sequence[Rule], at: datetime) -> dict[tuple[str, Labels], Reading]:
        found = (one for rule in rules for one in readings_of(rule, self._sources, at))
        return {(one.rule, one.labels): one for one in found}

    def _open(self, batch: SpoolBatch) -> pa.Table | None:
        try:
            table = batch.table()
        except KeyProblem:
            self.unreadable += 1
            return None
        self._opened.put(batch.seq, self._erasures, table)
        return self._failing_now(batch.signal, table)

    def _failing_now(self, signal: str, rows: pa.Table) -> pa.Table:
        """Failures that were told when they happened: what was over before is history."""
        found = failing(signal, self._deliveries.marked(signal, rows))
        return found.filter(pc.invert(found["is_history"])).drop_columns(["is_history"])

    def _keep_cursor(self) -> None:
        self._kept_s = self._monotonic()
        if self.seq != self._kept_seq:
            self._db.execute(
                "INSERT OR REPLACE INTO alert_fast_lane (id, seq) VALUES (1, ?)", (self.seq,)
            )
            self._kept_seq = self.seq


def _grew(before: Reading, after: Reading) -> bool:
    return (after.value or 0.0) > (before.value or 0.0)
