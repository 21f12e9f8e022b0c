"""What of the last events is told one by one, within 20 MB in all.

Here: which rows of a round are kept, and the tables that queries name `recent_…`. Not here: what a row is
(`events`, `log_lines`), queries (`live_tail/window/queries`).

A round is worked out first (`of`) and noted later (`add`): one that fails in between is tried again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from live_tail.window.recent import events, log_lines
from live_tail.window.recent.exemplars import Exemplars
from live_tail.window.recent.ring import Ring
from live_tail.window.recent.traces import Found, Traces
from live_tail.window.rows.arrow_columns import Rows
from live_tail.window.rows.span_facts import Spans

MIB = 2**20
_TAIL_ROWS, _TAIL_BYTES = 2_000, MIB
_LINE_ROWS, _LINE_BYTES = 3_000, 3 * MIB // 2
_EXEMPLAR_BYTES = 6 * MIB
# 12 bytes each.
_TRACE_ENTRIES = 300_000
_MOST_PATTERNS = 5_000
TABLES = frozenset({"recent_tail", "recent_lines", "recent_exemplars"})
_TRACE_ID = {"spans", "logs"}
Batches = Callable[[Sequence[int]], Iterable[tuple[str, pa.Table]]]


@dataclass(frozen=True)
class Round:
    """What of a round is kept."""

    traces: Found | None = None
    exemplars: tuple[pa.Table, ...] = ()
    tail: tuple[pa.Table, ...] = ()
    lines: pa.Table | None = None
    counts: pa.Table | None = None


class Recent:
    """The last events of one window."""

    def __init__(self) -> None:
        self._requests = Ring(events.SCHEMA, max_rows=_TAIL_ROWS, max_bytes=_TAIL_BYTES)
        self._ai_calls = Ring(events.SCHEMA, max_rows=_TAIL_ROWS, max_bytes=_TAIL_BYTES)
        self._lines = Ring(log_lines.SCHEMA, max_rows=_LINE_ROWS, max_bytes=_LINE_BYTES)
        # What is grave is rare: it reaches further back than what is said all the time.
        self._grave = Ring(log_lines.SCHEMA, max_rows=_LINE_ROWS, max_bytes=_LINE_BYTES)
        self._exemplars = Exemplars(_EXEMPLAR_BYTES)
        self._traces = Traces(_TRACE_ENTRIES)
        self._patterns: set[str] = set()
        self.read: Batches = _nothing

    def of(self, signal: str, rows: Rows) -> Round:
        """What of new rows is to be kept; changes nothing."""
        if signal not in _TRACE_ID:
            return Round()
        traces = Traces.of(rows["trace_id"], rows["batch_seq"].to_numpy())
        if isinstance(rows, Spans):
            found = list(events.of_spans(rows))
            tail = (_newest(f) for f in found if f.kind != events.DB)
            return Round(traces, tuple(Exemplars.of(found)), tuple(tail))
        lines = log_lines.lines(rows)
        return Round(
            traces,
            lines=lines,
            counts=log_lines.counts(lines, self._patterns, _MOST_PATTERNS),
        )

    def add(self, made: Round) -> None:
        """Keep what `of` found."""
        self._traces.add(made.traces)
        self._exemplars.add(list(made.exemplars))
        for table in made.tail:
            is_request = table["kind"][0].as_py() == events.REQUEST
            (self._requests if is_request else self._ai_calls).add(table)
        if made.lines is not None and made.counts is not None:
            self._patterns |= set(made.counts["pattern"].to_pylist())
            is_grave = log_lines.is_grave(made.lines)
            self._grave.add(_last(made.lines.filter(is_grave), _LINE_ROWS))
            self._lines.add(_last(made.lines.filter(pc.invert(is_grave)), _LINE_ROWS))

    def table(self, name: str) -> pa.Table:
        """A table that a query names. Raises KeyError for another name."""
        return {
            "recent_tail": lambda: pa.concat_tables(
                [self._requests.table(), self._ai_calls.table()]
            ),
            "recent_lines": lambda: pa.concat_tables([self._lines.table(), self._grave.table()]),
            "recent_exemplars": self._exemplars.table,
        }[name]()

    def of_trace(self, trace_id: bytes) -> dict[str, pa.Table]:
        """Rows of a trace by signal, as they lie in the spool; no signal of which nothing is left."""
        found: dict[str, list[pa.Table]] = {}
        for signal, table in self.read(self._traces.batches(trace_id)):
            is_its = pc.equal(table["trace_id"], pa.scalar(trace_id, pa.binary()))
            if pc.any(is_its).as_py():
                found.setdefault(signal, []).append(table.filter(is_its))
        return {signal: pa.concat_tables(tables) for signal, tables in found.items()}

    @property
    def nbytes(self) -> int:
        """Bytes of what is held."""
        rings = (self._requests, self._ai_calls, self._lines, self._grave)
        held = sum(ring.nbytes for ring in rings) + self._exemplars.table().nbytes
        return held + 12 * len(self._traces)

    def tidy(self, start_us: int) -> None:
        """Without what left the window or does not fit."""
        for ring in (self._requests, self._ai_calls, self._lines, self._grave):
            ring.tidy()
        self._exemplars.tidy(start_us)
        self._traces.tidy(self._exemplars.traces())

    def clear(self) -> None:
        """Hold nothing."""
        for ring in (self._requests, self._ai_calls, self._lines, self._grave):
            ring.clear()
        self._exemplars.clear()
        self._traces.clear()
        self._patterns.clear()


def _newest(found: events.Events) -> pa.Table:
    count = len(found.places)
    return found.rows(np.arange(max(count - _TAIL_ROWS, 0), count))


def _last(table: pa.Table, rows: int) -> pa.Table:
    return table.slice(max(table.num_rows - rows, 0))


def _nothing(_: Sequence[int]) -> Iterable[tuple[str, pa.Table]]:
    return ()
