"""One group commit while it is built: which bodies are new, what they land, and each one's answer.

Here: request bodies to tables, counts and receipts. Not here: making them durable (`pipeline`), limits of new
values (`new_values`), a body that is too large for one turn (`large_body`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ingestion.receivers.committing.landing import (
    Answer,
    Counted,
    answer_of,
    count_by_body,
    rows_in,
)
from ingestion.receivers.committing.new_values import NewValues
from ingestion.receivers.decoding.flatten import flatten
from ingestion.receivers.decoding.otlp_json import json_bodies
from ingestion.receivers.decoding.protobuf import NOT_JSON, NOT_PROTOBUF, to_arrow
from ingestion.receivers.decoding.rejections import Rejection
from ingestion.spool import Receipt
from privacy.gate.gate_columns import Gate

_UNREADABLE = {False: NOT_PROTOBUF, True: NOT_JSON}
# More than these of one landing does not fit into a turn, however well it is known.
_MOST_GROUPS, _MOST_ITEMS = 8_000, 12_000
_MOST_JSON_VALUES = 150_000


@dataclass(frozen=True)
class Incoming:
    """One export request: a plain body; `component` limits what its token may send."""

    signal: str
    body: bytes
    component: str | None = None
    is_json: bool = False


class Group:
    """The state of one group commit while it is built."""

    def __init__(
        self,
        requests: Sequence[Incoming],
        digests: Sequence[bytes],
        committed: Mapping[bytes, Receipt],
        gate: Gate,
        values: NewValues,
        *,
        received_us: int,
    ) -> None:
        self._requests, self._digests = requests, digests
        self._gate, self._values, self._received_us = gate, values, received_us
        self.counted = Counted()
        self.receipts: list[Receipt] = []
        self.tables: list[tuple[str, pa.Table]] = []
        self._answers: dict[int, Answer] = {}
        self._repeats: list[tuple[int, int]] = []
        self._build(committed)

    @property
    def answers(self) -> list[Answer]:
        """In the order of the requests."""
        return [self._answers[i] for i in range(len(self._requests))]

    def _build(self, committed: Mapping[bytes, Receipt]) -> None:
        digests = self._digests
        first: dict[bytes, int] = {}
        fresh: dict[tuple[str, bool], list[int]] = {}
        for position, (request, digest) in enumerate(zip(self._requests, digests, strict=True)):
            receipt = committed.get(digest)
            if receipt is not None:
                self._answers[position] = self.counted.repeat(receipt)
            elif digest in first:
                self._repeats.append((position, first[digest]))
            else:
                first[digest] = position
                fresh.setdefault((request.signal, request.is_json), []).append(position)
        made: dict[int, Receipt] = {}
        for (signal, is_json), positions in fresh.items():
            made |= self._land(signal, positions, is_json=is_json)
        self.receipts = [r for r in made.values() if r.items or r.rejected]
        for position, original in self._repeats:
            if original in made:
                self._answers[position] = self.counted.repeat(made[original])
            else:
                self._answers[position] = self._answers[original]
                self.counted.refuse("unknown", self._requests[position].signal, "unreadable_body")

    def _land(self, signal: str, positions: list[int], *, is_json: bool) -> dict[int, Receipt]:
        decode = json_bodies.to_arrow if is_json else to_arrow
        bodies, gate = [self._requests[p].body for p in positions], self._gate
        if is_json:
            gate.turn.limit(sum(map(json_bodies.most_values, bodies)), _MOST_JSON_VALUES)
        batch, good, bad = decode(signal, bodies)
        for index in bad:
            self._answers[positions[index]] = Answer(error=_UNREADABLE[is_json])
            self.counted.refuse("unknown", signal, "unreadable_body")
        for size, most in zip(rows_in(batch), (_MOST_GROUPS, _MOST_ITEMS), strict=True):
            gate.turn.limit(size, most)
        flat = flatten(signal, batch, gate, self._received_us)
        owners = [self._requests[positions[i]].component for i in good]
        flat = self.counted.land(signal, flat, owners, self._values)
        self.counted.take_decisions(gate, signal, self._values)
        if flat.table.num_rows:
            self.tables.append((signal, flat.table))
        accepted = count_by_body(flat)
        refused: dict[int, list[Rejection]] = {}
        for rejection in flat.rejections:
            refused.setdefault(rejection.body, []).append(rejection)
        receipts: dict[int, Receipt] = {}
        for row, index in enumerate(good):
            position = positions[index]
            receipts[position] = self.counted.receipt(
                self._digests[position], signal, accepted.get(row, {}), refused.get(row, [])
            )
            self._answers[position] = answer_of(receipts[position])
        return receipts
