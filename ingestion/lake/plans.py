"""What a drain's plan is made of: the batches of its range, opened and put together by signal.

Here: reading them from the spool. Not here: landing them (`lake`), what is left out and why (`set_aside`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from ingestion.lake.catalog import Plan
from ingestion.spool import Spool, SpoolBatch
from privacy.keys.key_store import KeyDestroyed


@dataclass
class PlanRead:
    """Tables by signal, each row with the seq of its batch; the detectors that they passed; the batches
    that are set aside or were (`out`)."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    detectors: list[str] = field(default_factory=list)
    out: list[SpoolBatch] = field(default_factory=list)


def read_plan(spool: Spool, plan: Plan) -> PlanRead:
    """Everything that a plan lands."""
    parts: dict[str, list[pa.Table]] = {}
    detectors: set[str] = set()
    read = PlanRead()
    after = plan.low - 1
    while batches := [b for b in spool.read(after) if b.seq <= plan.high]:
        after = batches[-1].seq
        read.out += [batch for batch in batches if batch.set_aside or batch.is_taken_back]
        landing = [batch for batch in batches if not batch.set_aside]
        detectors |= {batch.detector_id for batch in landing} - {""}
        for signal, some in _by_signal(landing).items():
            # Of a batch of few rows the edges of its columns are larger than what stands in them.
            parts.setdefault(signal, []).append(pa.concat_tables(some).combine_chunks())
    read.tables = {signal: pa.concat_tables(some) for signal, some in parts.items()}
    read.detectors = sorted(detectors)
    return read


def _by_signal(batches: Iterable[SpoolBatch]) -> dict[str, list[pa.Table]]:
    found: dict[str, list[pa.Table]] = {}
    for batch in batches:
        try:
            table = batch.table()
        except KeyDestroyed:
            continue  # a restored backup of an expired day: nobody can read it any more
        seq = pa.array([batch.seq] * table.num_rows, pa.int64())
        found.setdefault(batch.signal, []).append(table.append_column("batch_seq", seq))
    return found
