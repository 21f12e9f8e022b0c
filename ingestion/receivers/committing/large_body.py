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

from ingestion.receivers.committing.landing import Answer, Counted, answer_of, rows_in
from ingestion.receivers.committing.pipeline import (
    UNPROCESSABLE,
    Incoming,
    Pipeline,
    StorageUnavailable,
)
from ingestion.receivers.decoding.origin import component_of
from ingestion.receivers.decoding.pieces import Pace, Piece, decoded, groups_of, pieces_of
from ingestion.receivers.decoding.protobuf import BadBody
from ingestion.receivers.decoding.rejections import Rejection
from ingestion.receivers.decoding.warm_up import give_back_memory
from ingestion.spool import SealedTable
from privacy.gate.turn import TurnOver
from privacy.keys.key_store import KeyProblem
from privacy.process_log.log import logger

_SEALED_ROWS, _SEALED_BYTES = 16_384, 512 * 1024
_TURN_S = 0.1
_TRIMMED_BYTES = 4 * 1024 * 1024
_log = logger()


class LargeBody:
    """First `look`, in any thread; then `step` does one piece and answers when there is no more.

    Work is processor time of the thread: on a busy machine a body does not become a larger one.
    """

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
        self._refusal: Answer | None = None
        self._reason = ""
        self._is_known: bool | None = None
        self._counted = Counted()
        self._digest = b""
        self._items: Counter[str] = Counter()
        self._refused: list[Rejection] = []
        self._parted: list[Piece] = []
        self._open: list[pa.Table] = []
        self._open_bytes = 0
        self._sealed: list[SealedTable] = []
        self._done_bytes = self._rows = 0
        self._spent_s = 0.0

    def look(self) -> None:
        """Find out what the body holds; what is wrong with it is answered by the first `step`."""
        began_s = self._clock()
        request, budget = self._request, self._pipeline.budget
        try:
            self._digest = self._pipeline.digest(request)
            groups = groups_of(request.signal, request.body, budget, is_json=request.is_json)
            self._pieces = pieces_of(groups, self._pace)
        except BadBody as error:
            # Not the error itself: its frames hold the body for as long as it is known.
            self._refusal, self._reason = refusal_of(error), error.reason
        except Exception as error:  # noqa: BLE001 - a body that breaks us must not break others
            _log.error("a body could not be processed", cause=type(error).__name__)
            self._refusal, self._reason = Answer(error=UNPROCESSABLE), "unprocessable_body"
        self._spent_s = self._clock() - began_s

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
            # Only the type: an exception's text may quote what was sent.
            _log.error("a body could not be processed", cause=type(error).__name__)
            self._note("unprocessable_body")
            answer = Answer(error=UNPROCESSABLE)
        self._spent_s += self._clock() - began_s
        if answer is not None and len(self._request.body) > _TRIMMED_BYTES:
            self._pieces = None
            give_back_memory()
        return answer

    def _step(self, began_s: float) -> Answer | None:
        if self._is_known is None:
            self._is_known = bool(self._pipeline.receipts([self._digest]))
        if self._is_known:
            return self._pipeline.process([self._request])[0]
        if self._refusal is not None or self._pieces is None:
            self._note(self._reason)
            return self._refusal
        piece = self._parted.pop() if self._parted else next(self._pieces, None)
        if piece is None:
            return self._finish()
        budget = self._pipeline.budget
        if self._spent_s > budget.work_s:
            raise budget.over_time(self._done_bytes, len(self._request.body))
        try:
            self._land(piece)
        except TurnOver:
            # What it has seen is remembered; nothing of it has landed.
            self._parted += reversed(piece.halves())
        self._pace.took(self._clock() - began_s, piece)
        return None

    def _land(self, piece: Piece) -> None:
        """Raises TurnOver, as long as the piece can be parted."""
        pipeline, signal, body = self._pipeline, self._request.signal, self._request.body
        batch = decoded(signal, body, piece, is_json=self._request.is_json)
        if piece.refused:
            pipeline.begin(self._received_us)
            component = pipeline.values.component(component_of(batch, pipeline.gate))
            self._refused.append(Rejection(0, component, "too_many_values", piece.refused))
            self._counted.ledger[component, signal, "arrived", ""] += piece.refused
            self._counted.take_decisions(pipeline.gate, signal, pipeline.values)
            return
        flat = pipeline.flattened(
            signal, batch, self._received_us, turn_s=_TURN_S if piece.items > 1 else None
        )
        flat = self._counted.land(signal, flat, [self._request.component], pipeline.values)
        self._counted.take_decisions(pipeline.gate, signal, pipeline.values)
        self._refused += flat.rejections
        self._done_bytes += piece.size
        self._rows += max(flat.table.num_rows, rows_in(batch)[1])
        pipeline.budget.check_items(self._rows)
        if flat.table.num_rows:
            self._take(flat.table, piece.size)

    def _take(self, table: pa.Table, size: int) -> None:
        components = table.column("component").value_counts().to_pylist()
        for row in components:
            self._items[row["values"]] += row["counts"]
        self._open.append(table)
        self._open_bytes += size
        if self._open_bytes > _SEALED_BYTES or sum(t.num_rows for t in self._open) > _SEALED_ROWS:
            self._seal()

    def _seal(self) -> None:
        if self._open:
            table = pa.concat_tables(self._open).combine_chunks()
            self._sealed.append(self._pipeline.spool.seal_table(self._request.signal, table))
            self._open, self._open_bytes = [], 0

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
        return refusal_of(error)

    def _note(self, reason: str) -> None:
        self._pipeline.note_refusal(self._request.signal, reason, self._request.component)


def refusal_of(error: BadBody) -> Answer:
    """What a sender is told of a body that cannot be read or is too much."""
    return Answer(error=str(error), http_status=error.http_status)
