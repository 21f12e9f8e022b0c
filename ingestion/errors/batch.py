"""Errors of whole hours for the batch: the same functions as live, over lake relations.

Here: which hours must be counted anew, and the rows they give. An error belongs to the hour under which
its span or record lies in the lake. A span event and a log record of one exception count once: the span
event stays, whichever came first.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from ingestion.errors.grouping import Site, group
from ingestion.errors.hand_rules import HandRules
from ingestion.errors.model import Occurrence
from ingestion.errors.occurrences import once_key, read_occurrences

_TEXTS = (
    "group_key component version environment route therapeutic_area session title exception_type"
    " culprit rule explanation stack"
).split()
SCHEMA = pa.schema(
    [
        ("hour_at", pa.timestamp("us")),
        ("event_at", pa.timestamp("us")),
        *((name, pa.string()) for name in _TEXTS),
        ("is_content_delivery", pa.bool_()),
    ]
)


def hours_to_count(spans: Iterable[datetime], logs: Iterable[datetime]) -> list[datetime]:
    """Hours whose errors change when these hours of spans and logs do.

    A span's exception may be told again by a log record of the hour after.
    """
    changed = set(spans)
    return sorted(changed | {hour + timedelta(hours=1) for hour in changed} | set(logs))


def error_rows(
    con: duckdb.DuckDBPyConnection,
    hours: Iterable[datetime],
    *,
    site: Site,
    rules: HandRules,
    version: str,
) -> pa.Table:
    """One row per error of these hours, columns `SCHEMA`.

    Reads `landed.error_spans`, which also reach one hour back, and `landed.error_logs`.
    """
    wanted = set(hours)
    rows = [
        {
            "hour_at": hour,
            "event_at": occurrence.event_at,
            "group_key": rules.apply(grouped.key, occurrence),
            **{name: getattr(occurrence, name) for name in _OF_OCCURRENCE},
            **{name: getattr(grouped, name) for name in ("title", "culprit", "rule")},
            "exception_type": grouped.type,
            "explanation": grouped.explanation(),
        }
        for hour, occurrence in _once(con)
        if hour in wanted
        for grouped in [group(occurrence, site, version)]
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


_OF_OCCURRENCE = (
    "component version environment route therapeutic_area session stack is_content_delivery"
).split()


def _once(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[datetime, Occurrence]]:
    """(hour, occurrence), each exception once, in an order that does not depend on arrival."""
    seen: set[str] = set()
    for signal, time in (("spans", "start_at"), ("logs", "event_at")):
        hour = f"date_trunc('hour', {time})"
        found = read_occurrences(con, signal, f"landed.error_{signal}", seq=hour)
        for at, occurrence in sorted(found, key=lambda f: (f[1].event_at, once_key(f[1]) or "")):
            key = once_key(occurrence)
            if key is not None and key in seen:
                continue
            if key is not None:
                seen.add(key)
            yield at, occurrence
