"""Errors for the batch: the same functions as live, over lake relations.

Here: which hours must be counted anew, and the rows they give. An error belongs to the hour under which
its span or record lies in the lake, and to the part (plan) that brought it. A span event and a log
record of one exception count once: the span event stays, whichever came first. What comes in one pass is
compared here; `once` and `is_span` let the marts compare what came in several.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from ingestion.meaning.errors.error_records import Occurrence
from ingestion.meaning.errors.grouping import Site, group
from ingestion.meaning.errors.hand_rules import HandRules
from ingestion.meaning.errors.occurrences import once_key, once_rank, read_occurrences

_TEXTS = (
    "group_key component version environment route therapeutic_area session title exception_type"
    " culprit rule explanation stack"
).split()
SCHEMA = pa.schema(
    [
        ("hour_at", pa.timestamp("us")),
        ("event_at", pa.timestamp("us")),
        ("part", pa.int64()),
        ("once", pa.uint64()),
        ("is_span", pa.bool_()),
        *((name, pa.string()) for name in _TEXTS),
        ("is_content_delivery", pa.bool_()),
        ("trace_id", pa.binary()),
        ("span_id", pa.binary()),
    ]
)


def hours_to_count(spans: Iterable[datetime], logs: Iterable[datetime]) -> list[datetime]:
    """Hours whose errors change when these hours of spans and logs do.

    A span's exception may be told again by a log record of the hour after.
    """
    changed = set(spans)
    return sorted(changed | {hour + timedelta(hours=1) for hour in changed} | set(logs))


def error_rows(
    con: duckdb.DuckDBPyConnection, *, site: Site, rules: HandRules, version: str
) -> pa.Table:
    """One row per error of the rows to count, columns `SCHEMA`.

    Reads `landed.error_spans` and `landed.error_logs`, whose column `part` says what a row is counted
    under; where it is null the row is there to recognise repetitions by, and is not counted.
    """
    rows = [
        {
            "hour_at": place["hour"],
            "event_at": occurrence.event_at,
            "part": place["part"],
            "once": _number(once_key(occurrence)),
            "is_span": occurrence.source != "log",
            "group_key": rules.apply(grouped.key, occurrence),
            **{name: getattr(occurrence, name) for name in _OF_OCCURRENCE},
            **{name: getattr(grouped, name) for name in ("title", "culprit", "rule")},
            "exception_type": grouped.type,
            "explanation": grouped.explanation(),
        }
        for place, occurrence in _once(con)
        if place["part"] is not None
        for grouped in [group(occurrence, site, version)]
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _number(key: str | None) -> int | None:
    return int(key[:16], 16) if key else None


_OF_OCCURRENCE = (
    "component version environment route therapeutic_area session stack is_content_delivery"
    " trace_id span_id"
).split()


def _once(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[dict[str, Any], Occurrence]]:
    """(hour and part, occurrence), each exception once, in an order that does not depend on arrival."""
    seen: set[str] = set()
    for signal, time in (("spans", "start_at"), ("logs", "event_at")):
        place = f"{{'hour': date_trunc('hour', {time}), 'part': part}}"
        found = read_occurrences(con, signal, f"landed.error_{signal}", seq=place)
        for at, occurrence in sorted(found, key=lambda f: once_rank(f[1])):
            key = once_key(occurrence)
            if key is not None and key in seen:
                continue
            if key is not None:
                seen.add(key)
            yield at, occurrence
