"""Batches that cannot be landed: found among those of a plan, mended, or set aside.

Here: finding which batches make a plan fail, and what the ledger says of those that stay out. Not here:
landing (`lake`), keeping them (`spool`: sealed, in their place, expiring and erased like any other),
telling people (`passes`). A batch that is set aside is tried again once another version of the product
runs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import duckdb
import pyarrow as pa

from ingestion.contracts import LANDED, LEDGER, SIGNALS
from ingestion.lake.mending import mended
from ingestion.spool import Spool, SpoolBatch
from privacy.keys.key_store import KeyDestroyed, KeyProblem
from privacy.process_log.log import logger

_TRIES = 2
# Lack of room is nothing that a batch has done.
_PASSING = (
    duckdb.OutOfMemoryException,
    duckdb.IOException,
    duckdb.InterruptException,
    OSError,
    MemoryError,
)
_log = logger()


@dataclass(frozen=True)
class SortedOut:
    """What became of the batches that made a plan fail."""

    mended: int = 0
    set_aside: int = 0

    def __bool__(self) -> bool:
        return bool(self.mended or self.set_aside)


@cache
def product_version() -> str:
    """The version that sets aside, and that does not try the same again."""
    return version("tta-monitor")


def sort_out(spool: Spool, con: duckdb.DuckDBPyConnection, low: int, high: int) -> SortedOut:
    """Try each batch of a range alone: what cannot be read is mended where it can be, else set aside.

    Nothing is done when no batch is at fault by itself.
    """
    bad: list[tuple[SpoolBatch, pa.Table | None, str]] = []
    opened = 0
    for batch in _batches(spool, low, high):
        try:
            table = batch.table()
        except KeyDestroyed:
            continue  # expired: it is left out anyway
        except (KeyProblem, ValueError, EOFError, OSError) as error:
            bad.append((batch, None, type(error).__name__))
            continue
        opened += 1
        cause = _fault(con, batch.signal, table)
        if cause:
            bad.append((batch, table, cause))
    if not opened and all(cause.startswith("Key") for _, _, cause in bad):
        return SortedOut()  # no batch opens: it is the key that is wrong
    return _decided(spool, con, bad)


def ledger_rows(batches: Sequence[SpoolBatch]) -> list[pa.Table]:
    """What the ledger says of batches that are out now, and of those that were and are back."""
    made = []
    for batch in batches:
        if batch.signal not in SIGNALS:
            continue
        sign = (1 if batch.set_aside else 0) - (1 if batch.is_taken_back else 0)
        if sign:
            made.append(_counted(batch, sign))
    return made


def _decided(
    spool: Spool,
    con: duckdb.DuckDBPyConnection,
    bad: list[tuple[SpoolBatch, pa.Table | None, str]],
) -> SortedOut:
    again = aside = 0
    for batch, table, cause in bad:
        better = None if table is None else _mended(con, batch.signal, table)
        if better is not None:
            spool.rewrite(batch, better)
            again += 1
            _log.warning("a spool batch could not be landed and is mended", seq=batch.seq)
            continue
        spool.set_aside(batch.seq, f"{product_version()} {cause}")
        aside += 1
        _log.error("a spool batch cannot be landed and is set aside", seq=batch.seq, cause=cause)
    return SortedOut(again, aside)


def _mended(con: duckdb.DuckDBPyConnection, signal: str, table: pa.Table) -> pa.Table | None:
    """The table as it can be landed, if it can."""
    try:
        better = mended(table)
    except Exception as error:  # noqa: BLE001 - then nothing can be made of it, which is what is told
        _log.warning("a spool batch cannot be mended", cause=type(error).__name__)
        return None
    return None if _fault(con, signal, better) else better


def _fault(con: duckdb.DuckDBPyConnection, signal: str, table: pa.Table) -> str:
    """The kind of error that reading all of a table raises every time; empty when it does not."""
    if signal not in LANDED or not table.schema.equals(LANDED[signal]):
        return "OtherColumns"
    cause = ""
    for _ in range(_TRIES):
        cursor = con.cursor()
        try:
            table.validate(full=True)
            cursor.register("probed", table)
            cursor.execute("CREATE OR REPLACE TEMP TABLE read_through AS FROM probed")
        except _PASSING:
            return ""
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this batch that raises it
            cause = type(error).__name__
        else:
            return ""
        finally:
            cursor.close()
    return cause


def _batches(spool: Spool, low: int, high: int) -> Iterator[SpoolBatch]:
    after = low - 1
    while batches := [b for b in spool.read(after) if b.seq <= high]:
        yield from (batch for batch in batches if not batch.set_aside)
        after = batches[-1].seq


def _whose(batch: SpoolBatch) -> list[tuple[str, int]]:
    """Component and hour of arrival (UTC microseconds) of each row."""
    try:
        table = batch.table()
        components = table.column("component").fill_null("unknown").to_pylist()
        # The commit may lie in the next hour.
        arrived_us = table.column("received_at").cast(pa.int64()).to_pylist()
        return [(c, _hour_us(us)) for c, us in zip(components, arrived_us, strict=True)]
    except Exception:  # noqa: BLE001 - why it does not open is told where it was set aside
        return [("unknown", _hour_us(batch.received_us))] * batch.row_count


def _hour_us(us: int) -> int:
    return us - us % 3_600_000_000


def _counted(batch: SpoolBatch, sign: int) -> pa.Table:
    """Rows by component and hour of arrival, as far as the batch still says it."""
    counts = Counter(_whose(batch))
    size = len(counts)
    columns = {
        "component": [component for component, _ in counts],
        "signal": [batch.signal] * size,
        "hour_at": [hour_us for _, hour_us in counts],
        "outcome": ["set_aside"] * size,
        "reason": ["cannot_be_landed"] * size,
        "items": [sign * items for items in counts.values()],
        "received_at": [batch.received_us] * size,
    }
    return pa.Table.from_pydict(columns, schema=LEDGER)
