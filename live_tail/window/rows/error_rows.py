"""Errors that rows tell of, and rows of the table of error groups.

Here: from landed rows to occurrences, and from occurrences to rows. Not here: which group an occurrence
belongs to (`ingestion/meaning/errors`), its state (`live_tail/window/error_groups`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from ingestion.meaning.errors.error_records import Grouped, Occurrence
from ingestion.meaning.errors.occurrences import ERROR_SEVERITY, once_key, told_by
from live_tail.window.rows.arrow_columns import Rows, first_in_lists, is_set
from live_tail.window.rows.span_facts import Spans

_BUCKET_S = 5


def occurrences(signal: str, rows: Rows) -> Iterator[tuple[int, Occurrence]]:
    """The few rows that tell of an error, and what each tells."""
    if isinstance(rows, Spans):
        has_type = is_set(first_in_lists(rows["events"], "exception.type"))
        has_message = is_set(first_in_lists(rows["events"], "exception.message"))
        tells = rows.is_error | has_type | has_message
    elif signal == "logs":
        tells = rows["severity_number"].to_numpy() >= ERROR_SEVERITY
        tells |= is_set(rows.attribute("exception.type", "exception.stacktrace"))
    else:
        return
    time = "start_at" if signal == "spans" else "event_at"
    for row in rows.table.filter(pa.array(tells)).to_pylist():
        row["attributes"] = dict(row["attributes"])
        row["row_at"] = row[time]
        row["exceptions"] = [event for event in row.get("events") or () if _is_exception(event)]
        yield from ((row["batch_seq"], occurrence) for occurrence in told_by(signal, row))


def _is_exception(event: dict[str, Any]) -> bool:
    """Whether a span's event tells of an exception; its attributes become a dictionary."""
    event["attributes"] = dict(event["attributes"] or ())
    named = (event["attributes"].get(name) for name in ("exception.type", "exception.message"))
    return any(value is not None for value in named)


def as_rows(seen: Sequence[tuple[int, str, Grouped, Occurrence]]) -> pa.Table:
    """Rows of `hot_error_groups`."""
    rows = [
        {
            "bucket_at": _bucket(o.event_at),
            "event_at": o.event_at,
            "group_key": key,
            **{name: getattr(o, name) for name in _OF_OCCURRENCE},
            **{name: getattr(g, name) for name in ("title", "culprit", "rule")},
            "exception_type": g.type,
            "explanation": g.explanation(),
            "breadcrumbs": list(o.breadcrumbs),
            "once": once_key(o),
            "trace_id": o.trace_id.hex() if o.trace_id else None,
        }
        for _, key, g, o in seen
    ]
    return pa.Table.from_pylist(rows, schema=_ROWS)


_OF_OCCURRENCE = (
    "component version environment route therapeutic_area session stack message severity"
    " is_content_delivery"
).split()
_BEFORE = (
    "group_key component version environment route therapeutic_area session title exception_type"
    " culprit rule explanation stack message"
).split()
_ROWS = pa.schema(
    [
        (name, kind)
        for name, kind in (
            ("bucket_at", pa.timestamp("us")),
            ("event_at", pa.timestamp("us")),
            *((name, pa.string()) for name in _BEFORE),
            ("breadcrumbs", pa.list_(pa.string())),
            *((name, pa.string()) for name in ("trace_id", "severity")),
            ("is_content_delivery", pa.bool_()),
            ("once", pa.string()),
        )
    ]
)


def _bucket(at: datetime) -> datetime:
    return at.replace(microsecond=0, second=at.second - at.second % _BUCKET_S)
