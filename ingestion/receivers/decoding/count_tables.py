"""Counts of one group of requests as the tables that travel with it: ledger and gate decisions.

Here: their shape. Not here: counting (`pipeline`, `privacy/gate/counts`).
"""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from ingestion.contracts import GATE_DECISIONS, LEDGER

_HOUR_US = 3_600_000_000
Entry = tuple[str, str, str, str]
"""component, signal, outcome, reason"""

DecisionEntry = tuple[str, str, str, str]
"""component, signal, field, treatment"""


def ledger_table(entries: Counter[Entry], received_us: int) -> pa.Table:
    """Schema `contracts.LEDGER`."""
    columns = _columns(("component", "signal", "outcome", "reason"), "items", entries, received_us)
    columns["received_at"] = [received_us] * len(entries)
    return pa.Table.from_pydict(columns, schema=LEDGER)


def decisions_table(entries: Counter[DecisionEntry], received_us: int) -> pa.Table:
    """Schema `contracts.GATE_DECISIONS`."""
    names = ("component", "signal", "field", "treatment")
    columns = _columns(names, "value_count", entries, received_us)
    return pa.Table.from_pydict(columns, schema=GATE_DECISIONS)


def _columns(
    names: tuple[str, ...], counted: str, entries: Counter[tuple[str, ...]], received_us: int
) -> dict[str, Sequence[str] | Sequence[int]]:
    rows = sorted(entries.items())
    return {
        **dict(zip(names, zip(*(key for key, _ in rows), strict=True), strict=True)),
        "hour_at": [received_us - received_us % _HOUR_US] * len(rows),
        counted: [number for _, number in rows],
    }
