"""Log records one by one, and how often each pattern came.

Here: rows of the newest records, and rows of the hot table of patterns. Not here: what a pattern is
(`ingestion/meaning/log_patterns`), errors among the records (`error_groups`).
"""

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.log_patterns import LONGEST_BODY, pattern_of, severity_of
from live_tail.window.rows.arrow_columns import Rows, bucket_of, grouped, mapped, ones

SCHEMA = pa.schema(
    [
        ("event_at", pa.timestamp("us")),
        ("component", pa.string()),
        ("version", pa.string()),
        ("environment", pa.string()),
        ("severity", pa.string()),
        ("body", pa.string()),
        ("pattern", pa.string()),
        ("trace_id", pa.binary()),
        ("span_id", pa.binary()),
    ]
)
OTHER = "(other)"
_MINUTE_US = 60_000_000
_TEXT = pa.string()
_GRAVE = ("warning", "error", "fatal")
_KEYS = ("bucket_at", "component", "version", "environment", "severity", "pattern")


def lines(rows: Rows) -> pa.Table:
    """Rows (`SCHEMA`) of log records."""
    text = _text(rows)
    columns = {
        "event_at": rows["event_at"],
        "component": rows["component"],
        "version": rows["component_version"].fill_null(""),
        "environment": rows["environment"].fill_null(""),
        "severity": _severity(rows),
        "body": pc.utf8_slice_codeunits(text, 0, LONGEST_BODY),
        "pattern": mapped(text, pattern_of, _TEXT),
        "trace_id": rows["trace_id"],
        "span_id": rows["span_id"],
    }
    return pa.table(columns, schema=SCHEMA)


def counts(made: pa.Table, known: set[str], most: int) -> pa.Table:
    """Rows of `hot_log_patterns` of some lines; patterns beyond so many known ones are one."""
    pattern = made["pattern"].combine_chunks()
    fresh = set(pattern.unique().to_pylist()) - known
    allowed = known | set(sorted(fresh)[: max(most - len(known), 0)])
    if not fresh <= allowed:
        pattern = mapped(pattern, lambda p: p if p in allowed else OTHER, _TEXT)
    columns = {
        "bucket_at": bucket_of(made["event_at"].combine_chunks(), _MINUTE_US),
        **{name: made[name].combine_chunks() for name in _KEYS[1:-1]},
        "pattern": pattern,
        "lines": ones(pc.is_valid(made["event_at"]).to_numpy()),
        "last": made["event_at"].combine_chunks(),
    }
    return grouped(columns, _KEYS, [("lines", "sum"), ("last", "max")])


def is_grave(made: pa.Table) -> pa.ChunkedArray:
    """Mask: warnings and worse."""
    return pc.is_in(made["severity"], value_set=pa.array(_GRAVE))


def _text(rows: Rows) -> pa.Array:
    return pc.coalesce(rows["body"], rows["event_name"], pa.scalar(""))


def _severity(rows: Rows) -> pa.Array:
    numbers = rows["severity_number"].dictionary_encode()
    words = pa.array([severity_of(n) for n in numbers.dictionary.to_pylist()], _TEXT)
    return words.take(numbers.indices)
