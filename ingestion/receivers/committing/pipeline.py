"""From plain request bodies to a committed spool: digest, decode, gate, seal, answer.

Here: what one group commit does, in one thread. Not here: sockets (`doors`), waiting and
turns (`committer`), and a body that is too large for one turn (`large_body`). When `process` returns,
every accepted item is durable.
"""

import hashlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from ingestion.receivers.committing.group import Group, Incoming
from ingestion.receivers.committing.landing import ANY_COMPONENT, Answer, Counted
from ingestion.receivers.committing.new_values import NewValues, ValueLimits
from ingestion.receivers.decoding.budget import BodyBudget
from ingestion.receivers.decoding.count_tables import Entry, decisions_table, ledger_table
from ingestion.receivers.decoding.flatten import Flat, flatten
from ingestion.receivers.decoding.warm_up import warm_up
from ingestion.spool import Receipt, SealedTable, Spool
from privacy.gate.gate_columns import Gate
from privacy.gate.turn import TurnOver
from privacy.keys.key_store import KeyProblem, KeyStore
from privacy.keys.pseudonyms import Pseudonyms
from privacy.process_log.log import logger
from privacy.site_policy import PolicyWatch

__all__ = ["Answer", "Incoming", "Pipeline", "StorageUnavailable", "TurnOver"]

UNPROCESSABLE = "the body is OTLP but could not be processed; it is not kept and need not be resent"
_log = logger()


class StorageUnavailable(Exception):
    """The spool could not commit; nothing of this group was acknowledged."""


class Pipeline:
    """One per receiver process; `process` is called from one thread at a time."""

    def __init__(
        self,
        spool: Spool,
        keys: KeyStore,
        policy: PolicyWatch | None = None,
        budget: BodyBudget | None = None,
        limits: ValueLimits | None = None,
    ) -> None:
        """`policy` is the site's, followed while this runs; without it the shipped one applies."""
        self.spool = spool
        self.budget = budget or BodyBudget()
        self._policy = policy
        self._digest_key = keys.named_key("digest").secret
        self.gate = Gate(
            Pseudonyms(keys, "operations"),
            policy.allow_list if policy else None,
            keys.named_key("attribute_names").secret,
        )
        self.values = NewValues(limits)
        self.totals: Counter[tuple[str, str, str]] = Counter()
        self._noted: Counter[Entry] = Counter()
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Build decoders and detectors now, so that the first sender does not wait for them."""
        self.gate.warm_up()
        warm_up()

    def note_refusal(
        self, signal: str, reason: str, component: str | None = None, fate: str = "rejected"
    ) -> None:
        """Count a body refused as a whole (too large, overloaded…) for the next commit.

        A part of a body that nobody stores is `dropped`.
        """
        named = "unknown" if component in ANY_COMPONENT else component
        with self._lock:
            self._noted[named or "unknown", signal, "arrived", ""] += 1
            self._noted[named or "unknown", signal, fate, reason] += 1

    @property
    def has_notes(self) -> bool:
        """Whether refusals wait for a commit to travel with."""
        return bool(self._noted)

    def process(self, requests: Sequence[Incoming], turn_s: float | None = None) -> list[Answer]:
        """Commit a group; answers are in the order of the requests.

        Raises StorageUnavailable when the commit failed, and TurnOver when it takes more than `turn_s`
        of processor time: then nothing of it is committed and nothing may be acknowledged.
        """
        received_us = time.time_ns() // 1_000
        before = self.gate.counts.copy()
        try:
            self.begin(received_us, turn_s)
            digests = [self.digest(request) for request in requests]
            committed = self.receipts(digests)
            group = Group(
                requests, digests, committed, self.gate, self.values, received_us=received_us
            )
        except (KeyProblem, sqlite3.Error) as error:
            raise StorageUnavailable(type(error).__name__) from error
        except TurnOver:
            self.gate.counts = before
            raise
        except Exception as error:  # noqa: BLE001 - a body that breaks us must not break others
            return self._one_by_one(requests, error, turn_s)
        finally:
            self.gate.turn.begin(None)
        self.commit(group.counted, received_us, tables=group.tables, receipts=group.receipts)
        return group.answers

    def flattened(
        self, signal: str, batch: pa.RecordBatch, received_us: int, *, turn_s: float | None
    ) -> Flat:
        """The gated rows of a batch; raises TurnOver after `turn_s` of processor time."""
        before = self.gate.counts.copy()
        try:
            self.begin(received_us, turn_s)
            return flatten(signal, batch, self.gate, received_us)
        except TurnOver:
            self.gate.counts = before
            raise
        finally:
            self.gate.turn.begin(None)

    def begin(self, received_us: int, turn_s: float | None = None) -> None:
        """Make the gate ready for what arrived then, for a turn of this length."""
        self._follow_policy()
        self.values.begin(received_us)
        self.gate.begin(datetime.fromtimestamp(received_us / 1e6, UTC).date())
        self.gate.turn.begin(turn_s)

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

    def _one_by_one(
        self, requests: Sequence[Incoming], error: Exception, turn_s: float | None
    ) -> list[Answer]:
        """Find the body that cannot be processed; it is refused for good, or it would come again."""
        if len(requests) > 1 and turn_s is not None:
            raise TurnOver from error  # whoever gives turns parts the group
        if len(requests) > 1:
            return [answer for request in requests for answer in self.process([request])]
        # Only the type: an exception's text may quote what was sent.
        _log.error("a body could not be processed", cause=type(error).__name__)
        self.note_refusal(requests[0].signal, "unprocessable_body", requests[0].component)
        return [Answer(error=UNPROCESSABLE)]

    def commit(
        self,
        counted: Counted,
        received_us: int,
        *,
        tables: Sequence[tuple[str, pa.Table]] = (),
        receipts: Sequence[Receipt] = (),
        sealed: Sequence[SealedTable] = (),
    ) -> None:
        """Make tables, receipts and counts durable together; raises StorageUnavailable."""
        with self._lock:
            noted, self._noted = self._noted, Counter()
        entries = counted.ledger + noted
        tables = list(tables)
        if entries:
            tables.append(("ledger", ledger_table(entries, received_us)))
        if counted.decisions:
            tables.append(("gate_decisions", decisions_table(counted.decisions, received_us)))
        try:
            if tables or sealed:
                detector_id = self.gate.detector.detector_id
                self.spool.append(tables, receipts, sealed=sealed, detector_id=detector_id)
        except (KeyProblem, sqlite3.Error) as error:
            with self._lock:
                self._noted += noted
            raise StorageUnavailable(type(error).__name__) from error
        for (_, signal, outcome, reason), items in entries.items():
            self.totals[signal, outcome, reason] += items

    def digest(self, request: Incoming) -> bytes:
        """Keyed BLAKE2b of signal, form and body: a retried export carries the same bytes."""
        person = (request.signal + ("+json" if request.is_json else "")).encode()[:16]
        return hashlib.blake2b(
            request.body, digest_size=16, key=self._digest_key, person=person
        ).digest()

    def receipts(self, digests: Sequence[bytes]) -> dict[bytes, Receipt]:
        """The receipts of those bodies that an earlier commit holds."""
        return self.spool.receipts(digests)
