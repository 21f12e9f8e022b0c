"""Decoded items become gated tables, with what the ledger says of them.

Here: one landing of one signal, for a group of bodies or a piece of one, and the receipt of a body. Not
here: decoding (`protobuf`, `otlp_json`, `pieces`), committing (`pipeline`, `large_body`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ingestion.receivers.committing.new_values import NewValues
from ingestion.receivers.committing.told_drops import told_drops
from ingestion.receivers.decoding.count_tables import DecisionEntry, Entry
from ingestion.receivers.decoding.flatten import Flat
from ingestion.receivers.decoding.rejections import Rejection
from ingestion.spool import Receipt
from privacy.gate.counts import UNKNOWN
from privacy.gate.gate_columns import Gate

ANY_COMPONENT = (None, "*")
"""Whom a token without a component may speak for."""


@dataclass(frozen=True)
class Answer:
    """What the sender is told. `error` set means that nothing of the body was taken.

    Then `http_status` says why: 400 and 413 for good, 429 when the same body may succeed later.
    """

    accepted: int = 0
    rejected: int = 0
    message: str = ""
    error: str = ""
    http_status: int = 400


@dataclass
class Counted:
    """Entries of the ledger and of the gate's decisions that travel with one commit."""

    ledger: Counter[Entry] = field(default_factory=Counter)
    decisions: Counter[DecisionEntry] = field(default_factory=Counter)

    def take_decisions(self, gate: Gate, signal: str, values: NewValues) -> None:
        """What the gate did since the last time; call after `land`, which decides about components."""
        for (component, name, outcome), count in gate.tally.take().items():
            owner = values.component(component)
            shown = values.attribute_name(owner, name) if outcome == UNKNOWN else name
            self.decisions[owner, signal, shown, outcome] += count
            if shown != name:
                self.ledger[owner, signal, "noted", "too_many_attribute_names"] += count

    def land(
        self, signal: str, flat: Flat, owners: Sequence[str | None], values: NewValues
    ) -> Flat:
        """Count what a flattening did; `owners` says whom the sender of each body may speak for."""
        arrived = flat.arrived
        flat = values.limited(signal, _only_own_component(flat, owners))
        for component, items in arrived.items():
            self.ledger[values.component(component), signal, "arrived", ""] += items
        if signal == "metric_points":
            self._take_told(flat.table)
        for note in flat.notes:
            self.ledger[note.component, signal, "noted", note.reason] += note.items
        return flat

    def receipt(
        self, digest: bytes, signal: str, items: dict[str, int], refused: Iterable[Rejection]
    ) -> Receipt:
        """The receipt of a body, which the ledger counts."""
        refused = list(refused)
        for component, count in items.items():
            self.ledger[component, signal, "accepted", ""] += count
        for rejection in refused:
            entry = (rejection.component, signal, "rejected", rejection.reason)
            self.ledger[entry] += rejection.items
        reasons = sorted({r.reason for r in refused})
        by_component: Counter[str] = Counter()
        for rejection in refused:
            by_component[rejection.component] += rejection.items
        rejected = by_component.total()
        return Receipt(digest, signal, items, rejected, ", ".join(reasons), dict(by_component))

    def repeat(self, receipt: Receipt) -> Answer:
        """A body that was committed before: answer as then, count it, store nothing."""
        signal = receipt.signal
        for component, count in receipt.items.items():
            self.ledger[component, signal, "arrived", ""] += count
            self.ledger[component, signal, "accepted", ""] += count
            self.ledger[component, signal, "duplicate", "repeated_body"] += count
        for component, count in receipt.refused.items():
            self.refuse(component, signal, "repeated_body", count)
        return answer_of(receipt)

    def refuse(self, component: str, signal: str, reason: str, items: int = 1) -> None:
        """Count what arrived and was refused before anybody could see what it is made of."""
        self.ledger[component, signal, "arrived", ""] += items
        self.ledger[component, signal, "rejected", reason] += items

    def _take_told(self, points: pa.Table) -> None:
        for drop in told_drops(points):
            self.ledger[drop.component, drop.signal, "arrived", ""] += drop.items
            self.ledger[drop.component, drop.signal, "dropped", drop.reason] += drop.items


def answer_of(receipt: Receipt) -> Answer:
    """What a sender is told of a body that was committed."""
    message = f"rejected: {receipt.message}" if receipt.rejected else ""
    return Answer(sum(receipt.items.values()), receipt.rejected, message)


def count_by_body(flat: Flat) -> dict[int, dict[str, int]]:
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


def _only_own_component(flat: Flat, owners: Sequence[str | None]) -> Flat:
    """A token speaks for its own component; `*` and loopback speak for any."""
    if all(owner in ANY_COMPONENT for owner in owners) or not flat.table.num_rows:
        return flat
    components = flat.table.column("component").to_pylist()
    wrong = [
        owners[body] not in (*ANY_COMPONENT, component)
        for body, component in zip(flat.body_of_row.tolist(), components, strict=True)
    ]
    return flat.without(wrong, "token_of_another_component")


def rows_in(batch: pa.RecordBatch) -> tuple[int, int]:
    """Groups (resources and scopes) and items of a decoded batch; of metrics, points are not seen."""
    resources = batch.column(0).flatten()
    scopes = resources.field(1).flatten()
    return len(resources) + len(scopes), len(scopes.field(1).flatten())
