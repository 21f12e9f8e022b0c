"""A body that does not fit into one turn: landed a piece at a time, committed as a whole.

Here: the state of one such body between its turns. Not here: whose turn it is (`committer`) and where a
body is cut (`pieces`). Gated rows are sealed while the rest is still to come; if the process ends
meanwhile, nothing of the body was committed and its sender, who was told nothing, sends it again.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pyarrow as pa

from ingestion.receivers.decode import BadBody
from ingestion.receivers.flatten import flatten
from ingestion.receivers.landing import Answer, Counted, answer_of, rows_in
from ingestion.receivers.nested import Rejection, component_of
from ingestion.receivers.pieces import Pace, Piece, pieces_of
from ingestion.receivers.pipeline import UNPROCESSABLE, Incoming, Pipeline, StorageUnavailable
from ingestion.spool import SealedTable
from privacy.keys import KeyProblem
from privacy.logs import logger

_SEALED_ROWS = 16_384
_log = logger()


class LargeBody:
    """`step` does one piece, and answers when the body is committed or refused."""

    def __init__(
        self,
        pipeline: Pipeline,
        request: Incoming,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._pipeline, self._request, self._clock = pipeline, request, clock
        self._received_us = time.time_ns() // 1_000
        self._pace = Pace()
        self._pieces: Iterator[Piece] | None = None
        self._counted = Counted()
        self._digest = b""
        self._items: Counter[str] = Counter()
        self._refused: list[Rejection] = []
        self._open: list[pa.Table] = []
        self._sealed: list[SealedTable] = []
        self._done_bytes = self._rows = 0
        self._spent_s = 0.0

    def step(self) -> Answer | None:
        """Work for about a turn; the answer, once there is one. Raises StorageUnavailable."""
        began_s = self._clock()
        try:
            answer = self._step(began_s)
        except BadBody as error:
            answer = self._refuse(error)
        except (KeyProblem, sqlite3.Error) as error:
            raise StorageUnavailable(type(error).__name__) from error
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a body that breaks us must not break others
            _log.error("a body could not be processed", cause=type(error).__name__)
            self._note("unprocessable_body")
            answer = Answer(error=UNPROCESSABLE)
        self._spent_s += self._clock() - began_s
        return answer

    def _step(self, began_s: float) -> Answer | None:
        if self._pieces is None:
            return self._start()
        if self._spent_s > self._pipeline.budget.cpu_s:
            raise self._pipeline.budget.over_time(self._done_bytes, len(self._request.body))
        piece = next(self._pieces, None)
        if piece is None:
            return self._finish()
        self._land(piece)
        self._pace.took(self._clock() - began_s, piece.items)
        return None

    def _start(self) -> Answer | None:
        request, pipeline = self._request, self._pipeline
        self._digest = pipeline.digest(request)
        known = pipeline.receipts([self._digest])
        if known:
            return pipeline.process([request])[0]
        self._pieces = pieces_of(
            request.signal, request.body, pipeline.budget, self._pace, is_json=request.is_json
        )
        return None

    def _land(self, piece: Piece) -> None:
        pipeline, signal = self._pipeline, self._request.signal
        pipeline.begin(time.time_ns() // 1_000)
        if piece.refused:
            component = component_of(piece.batch, pipeline.gate)
            self._refused.append(Rejection(0, component, "too_many_values", piece.refused))
            self._counted.take_decisions(pipeline.gate, signal)
            return
        flat = flatten(signal, piece.batch, pipeline.gate, self._received_us)
        self._counted.take_decisions(pipeline.gate, signal)
        flat = self._counted.land(signal, flat, [self._request.component])
        self._refused += flat.rejections
        self._done_bytes += piece.size
        self._rows += max(flat.table.num_rows, rows_in(piece.batch)[1])
        pipeline.budget.check_items(self._rows)
        if flat.table.num_rows:
            self._take(flat.table)

    def _take(self, table: pa.Table) -> None:
        components = table.column("component").value_counts().to_pylist()
        for row in components:
            self._items[row["values"]] += row["counts"]
        self._open.append(table)
        if sum(t.num_rows for t in self._open) >= _SEALED_ROWS:
            self._seal()

    def _seal(self) -> None:
        if self._open:
            table = pa.concat_tables(self._open).combine_chunks()
            self._sealed.append(self._pipeline.spool.seal_table(self._request.signal, table))
            self._open = []

    def _finish(self) -> Answer:
        pipeline = self._pipeline
        if pipeline.receipts([self._digest]):
            # Its sender did not wait and sent it again, and that one was quicker.
            return pipeline.process([self._request])[0]
        self._seal()
        receipt = self._counted.receipt(
            self._digest, self._request.signal, dict(self._items), self._refused
        )
        receipts = [receipt] if receipt.items or receipt.rejected else []
        pipeline.commit(
            self._counted, self._received_us, receipts=receipts, sealed=self._sealed
        )  # fmt: skip
        return answer_of(receipt)

    def _refuse(self, error: BadBody) -> Answer:
        self._note(error.reason)
        return Answer(error=str(error), http_status=error.http_status)

    def _note(self, reason: str) -> None:
        self._pipeline.note_refusal(self._request.signal, reason, self._request.component)
