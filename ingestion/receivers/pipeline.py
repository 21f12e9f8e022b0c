"""From plain request bodies to a committed spool: digest, decode, gate, seal, answer.

Here: what one group commit does, in one thread. Not here: sockets (`http`, `grpc_door`) and
waiting (`committer`). When `process` returns, every accepted item is durable.
"""

import hashlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from ingestion.receivers.count_tables import DecisionEntry, Entry, decisions_table, ledger_table
from ingestion.receivers.decode import to_arrow
from ingestion.receivers.flatten import flatten
from ingestion.receivers.nested import Flat
from ingestion.receivers.warm_up import warm_up
from ingestion.spool import Receipt, Spool
from privacy.gate import Gate
from privacy.keys import KeyProblem, KeyStore
from privacy.logs import logger
from privacy.pseudonyms import Pseudonyms
from privacy.site_policy import PolicyWatch

_UNPROCESSABLE = (
    "the body is OTLP but could not be processed; it is not kept and need not be resent"
)
_UNREADABLE = "the body is not a valid OTLP protobuf message for this signal"
_log = logger()


class StorageUnavailable(Exception):
    """The spool could not commit; nothing of this group was acknowledged."""


@dataclass(frozen=True)
class Incoming:
    """One export request: plain protobuf bytes; `component` limits what its token may send."""

    signal: str
    body: bytes
    component: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the sender is told. `error` set means the whole body was refused for good (400)."""

    accepted: int = 0
    rejected: int = 0
    message: str = ""
    error: str = ""


class Pipeline:
    """One per receiver process; `process` is called from one thread at a time."""

    def __init__(self, spool: Spool, keys: KeyStore, policy: PolicyWatch | None = None) -> None:
        """`policy` is the site's, followed while this runs; without it the shipped one applies."""
        self._spool = spool
        self._policy = policy
        self._digest_key = keys.named_key("digest").secret
        self.gate = Gate(
            Pseudonyms(keys, "operations"),
            policy.allow_list if policy else None,
            keys.named_key("attribute_names").secret,
        )
        self.totals: Counter[tuple[str, str, str]] = Counter()
        self._noted: Counter[Entry] = Counter()
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Build decoders and detectors now, so that the first sender does not wait for them."""
        self.gate.warm_up()
        warm_up()

    def note_refusal(self, signal: str, reason: str) -> None:
        """Count a body refused at the door (too large, overloaded…) for the next commit."""
        with self._lock:
            self._noted["unknown", signal, "rejected", reason] += 1

    def process(self, requests: Sequence[Incoming]) -> list[Answer]:
        """Commit a group; answers are in the order of the requests.

        Raises StorageUnavailable when the commit failed: then nothing may be acknowledged.
        """
        received_us = time.time_ns() // 1_000
        try:
            self._follow_policy()
            self.gate.begin(datetime.fromtimestamp(received_us / 1e6, UTC).date())
            group = _Group(self, requests, received_us)
        except (KeyProblem, sqlite3.Error) as error:
            raise StorageUnavailable(type(error).__name__) from error
        except Exception as error:  # noqa: BLE001 - a body that breaks us must not break others
            return self._one_by_one(requests, error)
        return self._commit(group, received_us)

    def _follow_policy(self) -> None:
        if self._policy is None:
            return
        before = self._policy.problem
        allow_list = self._policy.changed()
        if allow_list is not None:
            self.gate.use(allow_list)
            _log.info("policy.yaml is taken")
        elif self._policy.problem and self._policy.problem != before:
            # Not the problem itself: names in the file are what somebody typed.
            _log.error("policy.yaml is wrong and not taken: see `privacy policy list`")

    def _one_by_one(self, requests: Sequence[Incoming], error: Exception) -> list[Answer]:
        """Find the body that cannot be processed; it is refused for good, or it would come again."""
        if len(requests) > 1:
            return [answer for request in requests for answer in self.process([request])]
        # Only the type: an exception's text may quote what was sent.
        _log.error("a body could not be processed", cause=type(error).__name__)
        self.note_refusal(requests[0].signal, "unprocessable_body")
        return [Answer(error=_UNPROCESSABLE)]

    def _commit(self, group: "_Group", received_us: int) -> list[Answer]:
        with self._lock:
            noted, self._noted = self._noted, Counter()
        entries = group.ledger + noted
        tables = group.tables
        if entries:
            tables = [*tables, ("ledger", ledger_table(entries, received_us))]
        if group.decisions:
            tables = [*tables, ("gate_decisions", decisions_table(group.decisions, received_us))]
        try:
            if tables:
                self._spool.append(
                    tables, group.receipts, detector_id=self.gate.detector.detector_id
                )
        except (KeyProblem, sqlite3.Error) as error:
            with self._lock:
                self._noted += noted
            raise StorageUnavailable(type(error).__name__) from error
        for (_, signal, outcome, reason), items in entries.items():
            self.totals[signal, outcome, reason] += items
        return group.answers

    def digest(self, request: Incoming) -> bytes:
        """Keyed BLAKE2b of signal and body: a retried export carries the same bytes."""
        person = request.signal.encode()[:16]
        return hashlib.blake2b(
            request.body, digest_size=16, key=self._digest_key, person=person
        ).digest()

    def receipts(self, digests: Sequence[bytes]) -> dict[bytes, Receipt]:
        """The receipts of those bodies that an earlier commit holds."""
        return self._spool.receipts(digests)


class _Group:
    """The state of one group commit while it is built."""

    def __init__(self, pipeline: Pipeline, requests: Sequence[Incoming], received_us: int) -> None:
        self._pipeline = pipeline
        self._requests = requests
        self._received_us = received_us
        self.ledger: Counter[Entry] = Counter()
        self.decisions: Counter[DecisionEntry] = Counter()
        self.receipts: list[Receipt] = []
        self.tables: list[tuple[str, pa.Table]] = []
        self._answers: dict[int, Answer] = {}
        self._repeats: list[tuple[int, int]] = []
        self._build()

    @property
    def answers(self) -> list[Answer]:
        return [self._answers[i] for i in range(len(self._requests))]

    def _build(self) -> None:
        digests = [self._pipeline.digest(request) for request in self._requests]
        committed = self._pipeline.receipts(digests)
        first: dict[bytes, int] = {}
        fresh: dict[str, list[int]] = {}
        for position, (request, digest) in enumerate(zip(self._requests, digests, strict=True)):
            receipt = committed.get(digest)
            if receipt is not None:
                self._repeat(position, receipt)
            elif digest in first:
                self._repeats.append((position, first[digest]))
            else:
                first[digest] = position
                fresh.setdefault(request.signal, []).append(position)
        made: dict[int, Receipt] = {}
        for signal, positions in fresh.items():
            made |= self._land(signal, positions, digests)
        self.receipts = [r for r in made.values() if r.items or r.rejected]
        for position, original in self._repeats:
            if original in made:
                self._repeat(position, made[original])
            else:
                self._answers[position] = self._answers[original]

    def _land(self, signal: str, positions: list[int], digests: list[bytes]) -> dict[int, Receipt]:
        batch, good, bad = to_arrow(signal, [self._requests[p].body for p in positions])
        for index in bad:
            self._answers[positions[index]] = Answer(error=_UNREADABLE)
            self.ledger["unknown", signal, "rejected", "unreadable_body"] += 1
        flat = flatten(signal, batch, self._pipeline.gate, self._received_us)
        for (component, field, outcome), count in self._pipeline.gate.tally.take().items():
            self.decisions[component, signal, field, outcome] += count
        flat = self._only_own_component(flat, [positions[i] for i in good])
        for note in flat.notes:
            self.ledger[note.component, signal, "noted", note.reason] += note.items
        if flat.table.num_rows:
            self.tables.append((signal, flat.table))
        accepted = _count_by_body(flat)
        receipts: dict[int, Receipt] = {}
        for row, index in enumerate(good):
            position = positions[index]
            receipts[position] = self._receipt(
                digests[position], signal, accepted.get(row, {}), flat, row
            )
            self._answers[position] = _answer(receipts[position])
        return receipts

    def _only_own_component(self, flat: Flat, positions: list[int]) -> Flat:
        """Refuse items of another component than the sender's token names."""
        owners = [self._requests[p].component for p in positions]
        if all(owner in (None, "*") for owner in owners):
            return flat
        components = flat.table.column("component").to_pylist()
        wrong = [
            owners[body] not in (None, "*", component)
            for body, component in zip(flat.body_of_row.tolist(), components, strict=True)
        ]
        return flat.without(wrong, "token_of_another_component")

    def _receipt(
        self, digest: bytes, signal: str, items: dict[str, int], flat: Flat, row: int
    ) -> Receipt:
        refused = [r for r in flat.rejections if r.body == row]
        for component, count in items.items():
            self.ledger[component, signal, "accepted", ""] += count
        for rejection in refused:
            entry = (rejection.component, signal, "rejected", rejection.reason)
            self.ledger[entry] += rejection.items
        reasons = sorted({r.reason for r in refused})
        return Receipt(digest, signal, items, sum(r.items for r in refused), ", ".join(reasons))

    def _repeat(self, position: int, receipt: Receipt) -> None:
        """A body that was committed before: answer as then, count it, store nothing."""
        self._answers[position] = _answer(receipt)
        for component, count in receipt.items.items():
            self.ledger[component, receipt.signal, "accepted", ""] += count
            self.ledger[component, receipt.signal, "duplicate", "repeated_body"] += count


def _answer(receipt: Receipt) -> Answer:
    message = f"rejected: {receipt.message}" if receipt.rejected else ""
    return Answer(sum(receipt.items.values()), receipt.rejected, message)


def _count_by_body(flat: Flat) -> dict[int, dict[str, int]]:
    """Accepted items by body row and component."""
    if not flat.table.num_rows:
        return {}
    components = flat.table.column("component").combine_chunks().dictionary_encode()
    names = components.dictionary.to_pylist()
    cells = flat.body_of_row * len(names) + components.indices.to_numpy()
    by_body: dict[int, dict[str, int]] = {}
    for cell, count in zip(*np.unique(cells, return_counts=True), strict=True):
        body, name = divmod(int(cell), len(names))
        by_body.setdefault(body, {})[names[name]] = int(count)
    return by_body
