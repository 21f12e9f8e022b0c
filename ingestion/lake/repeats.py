"""Which of the items that are about to land the lake holds already.

Here: the 16-byte identities of items, and finding repeats among the items of a plan and against the hours
they fall in. Not here: what makes two items the same fact (`ingestion/meaning/item_identity`), writing
partitions (`drain`), repeated bodies (`spool`). Young files carry the identities of their rows in two
columns, so that a plan reads those and no row of the hour; compaction drops them.
"""

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from ingestion.contracts import LEDGER
from ingestion.lake.catalog import LakeFile
from ingestion.meaning.item_identity import SAME

IDENTITY = ("identity_high", "identity_low")
"""Columns of young files: the halves of a row's identity, no part of its contract."""

_KEYED = """
    CREATE TEMP TABLE keyed AS
    SELECT row_no, batch_seq, {hour} AS event_hour, {identity} AS k FROM incoming
"""
_KNOWN = """
    CREATE TEMP TABLE known AS
    SELECT k, count(*) AS n FROM ({existing}) WHERE k IN (SELECT k FROM keyed) GROUP BY k
"""
# Few keys come twice: only their rows are numbered.
_REPEATS = """
    WITH suspect AS (
        SELECT k FROM keyed GROUP BY k HAVING count(*) > 1 UNION SELECT k FROM known
    ),
    numbered AS (
        SELECT *, row_number() OVER (PARTITION BY k, batch_seq ORDER BY row_no) AS nth
        FROM keyed SEMI JOIN suspect USING (k)
    ),
    copies AS (
        SELECT *, row_number() OVER (PARTITION BY k, nth ORDER BY batch_seq) AS copy FROM numbered
    )
    SELECT row_no FROM copies LEFT JOIN known USING (k) WHERE copy > 1 OR nth <= coalesce(n, 0)
"""
_COUNTED = """
    SELECT component, ? AS signal, date_trunc('hour', received_at) AS hour_at, 'duplicate' AS outcome,
        CASE WHEN event_hour IN (SELECT hour_at FROM closed_hours) THEN 'expired_hour'
            ELSE 'repeated_item' END AS reason,
        count(*) AS items, max(received_at) AS received_at
    FROM incoming JOIN keyed USING (row_no) JOIN repeated USING (row_no) GROUP BY 1, 3, 5
"""


def identity(signal: str) -> str:
    """SQL for the identity of a row of a signal: MD5 (RFC 1321) over its content, UHUGEINT."""
    columns = ", ".join(f"coalesce({column}::VARCHAR, '∅')" for column in SAME[signal])
    return f"md5_number(concat_ws('\x1f', {columns}))"


def stored_identity() -> str:
    """SQL for the identity of a row of a young file."""
    high, low = IDENTITY
    return f"(({high}::UHUGEINT << 64) | {low}::UHUGEINT)"


def event_hours(con: duckdb.DuckDBPyConnection, time: str) -> list[datetime]:
    """The hours that the rows of relation `incoming` fall in, by their column `time`."""
    sql = f"SELECT DISTINCT date_trunc('hour', {time}) FROM incoming ORDER BY 1"
    return [hour for (hour,) in con.execute(sql).fetchall()]


def mark(
    con: duckdb.DuckDBPyConnection,
    signal: str,
    time: str,
    *,
    existing: Sequence[str],
    closed: Sequence[datetime],
) -> tuple[pa.Table, pa.Table]:
    """Look at relation `incoming` (the signal's columns, `batch_seq`, `row_no` from 0 on).

    `existing` are SELECTs of column `k`, `closed` are hours that take no rows any more. Returns one
    row an item (`event_hour`, the identity's halves, `is_new`), in the order of `row_no`, and what
    was not new as rows of the ledger.
    """
    con.register("closed_hours", pa.table({"hour_at": pa.array(closed, pa.timestamp("us"))}))
    hour = f"date_trunc('hour', {time})"
    con.execute(_KEYED.format(hour=hour, identity=identity(signal)))
    nothing = "SELECT NULL::UHUGEINT AS k WHERE false"
    con.execute(_KNOWN.format(existing=" UNION ALL ".join(existing) or nothing))
    con.execute(
        f"CREATE TEMP TABLE repeated AS {_REPEATS}"
        " UNION SELECT row_no FROM keyed WHERE event_hour IN (SELECT hour_at FROM closed_hours)"
    )
    marks = con.execute(
        f"SELECT event_hour, (k >> 64)::UBIGINT AS {IDENTITY[0]},"
        f" (k & 18446744073709551615::UHUGEINT)::UBIGINT AS {IDENTITY[1]},"
        " row_no NOT IN (SELECT row_no FROM repeated) AS is_new FROM keyed ORDER BY row_no"
    ).to_arrow_table()
    return marks, con.execute(_COUNTED, [signal]).to_arrow_table().cast(LEDGER)


def existing_identities(files: Sequence[LakeFile], scan: str, has_identities: bool) -> str:
    """A SELECT of column `k` over files of one signal, all of one kind; `scan` reads them."""
    told = stored_identity() if has_identities else identity(files[0].signal)
    return f"SELECT {told} AS k FROM ({scan})"
