"""Counts of one group of requests as the tables that travel with it: ledger and gate decisions.

Here: their shape. Not here: counting (`pipeline`, `privacy/gate_counts`).
"""

from collections import Counter

import pyarrow as pa

from ingestion.contracts import GATE_DECISIONS, LEDGER

_HOUR_US = 3_600_000_000
Entry = tuple[str, str, str, str]
"""component, signal, outcome, reason"""

DecisionEntry = tuple[str, str, str, str]
"""component, signal, field, treatment"""


def ledger_table(entries: Counter[Entry], received_us: int) -> pa.Table:
    """Schema `contracts.LEDGER`."""
    table = _table(("component", "signal", "outcome", "reason"), "items", entries, received_us)
    received = pa.repeat(pa.scalar(received_us, pa.int64()), len(entries)).cast(pa.timestamp("us"))
    return table.append_column("received_at", received).select(LEDGER.names).cast(LEDGER)


def decisions_table(entries: Counter[DecisionEntry], received_us: int) -> pa.Table:
    """Schema `contracts.GATE_DECISIONS`."""
    names = ("component", "signal", "field", "treatment")
    table = _table(names, "value_count", entries, received_us)
    return table.select(GATE_DECISIONS.names).cast(GATE_DECISIONS)


def _table(
    names: tuple[str, ...], counted: str, entries: Counter[tuple[str, ...]], received_us: int
) -> pa.Table:
    rows = sorted(entries.items())
    hour_us = pa.scalar(received_us - received_us % _HOUR_US, pa.int64())
    return pa.table(
        {
            **{n: pa.array([k[i] for k, _ in rows], pa.string()) for i, n in enumerate(names)},
            "hour_at": pa.repeat(hour_us, len(rows)).cast(pa.timestamp("us")),
            counted: pa.array([n for _, n in rows], pa.int64()),
        }
    )
