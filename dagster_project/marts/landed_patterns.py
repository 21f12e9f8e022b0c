"""The patterns of the log records that a pass sees, worked out in Python once for each distinct text.

Here: the table that models join. Not here: what a pattern is (`ingestion/meaning/log_patterns`), what a pass
sees (`landed`).
"""

import pyarrow as pa
from duckdb import DuckDBPyConnection

from ingestion.meaning.log_patterns import pattern_of

_SCHEMA = pa.schema([("text", pa.string()), ("pattern", pa.string())])


def log_patterns(con: DuckDBPyConnection) -> pa.Table:
    """text, pattern: of each body, else name, of `landed.logs` once."""
    sql = "SELECT DISTINCT coalesce(body, event_name, '') FROM landed.logs ORDER BY 1"
    texts = [text for (text,) in con.execute(sql).fetchall()]
    return pa.table([texts, [pattern_of(text) for text in texts]], schema=_SCHEMA)
