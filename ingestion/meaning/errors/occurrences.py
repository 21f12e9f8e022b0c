"""From landed rows to occurrences: span events, log records and failed spans, each counted once.

Here: SQL that finds the few error rows of a relation, and what is read from their attributes. The live
tail asks its fresh rows, the batch the lake's; both get the same occurrences. Not here: groups.
Source of the names: OpenTelemetry semantic conventions, exceptions in spans and in logs.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import duckdb

from ingestion.meaning.errors.chains import plain_type
from ingestion.meaning.errors.error_records import Occurrence
from ingestion.meaning.errors.frames import comparable
from ingestion.meaning.errors.stacks import parse_stack

ERROR_SEVERITY = 17
_IS_EXCEPTION = (
    "(e.attributes['exception.type'] IS NOT NULL OR e.attributes['exception.message'] IS NOT NULL)"
)
_COMMON = "component, component_version, environment, trace_id, span_id, attributes, scope_name"
_SPANS = f"""
    SELECT {_COMMON}, name, kind, status_code, status_message, start_at AS row_at, {{seq}} AS seq,
        list_filter(events, e -> {_IS_EXCEPTION}) AS exceptions
    FROM {{relation}}
    WHERE status_code = 'ERROR' OR len(list_filter(events, e -> {_IS_EXCEPTION})) > 0
"""
_LOGS = f"""
    SELECT {_COMMON}, body, severity_number, event_name, event_at AS row_at, {{seq}} AS seq
    FROM {{relation}}
    WHERE severity_number >= {ERROR_SEVERITY} OR attributes['exception.type'] IS NOT NULL
        OR attributes['exception.stacktrace'] IS NOT NULL
"""
_SESSION = (
    "session.id tta.session.id session_id therapeutic_session_id user.id tta.player.id player.id "
    "player_id user_id enduser.id workflow.session_id workflow.player_id"
).split()
_ROUTE = "http.route url.template url.path http.target route endpoint path".split()
_AREA = ("tta.therapeutic.area", "tta.therapeutic.approach")
_DELIVERY_ROUTE = re.compile(
    r"(?:^|[/_.\s-])(?:chat|gameplay|narratives?|stor(?:y|ies)|scenes?|choices?|conversations?|therapeutic)"
    r"(?:$|[/_.\s-])",
    re.IGNORECASE,
)
_DELIVERY_PREFIXES = ("tta.scene.", "tta.choice.", "tta.therapeutic.", "gen_ai.operation.")
_SEVERITIES = ((21, "fatal"), (17, "error"), (13, "warning"))


def read_occurrences(
    con: duckdb.DuckDBPyConnection, signal: str, relation: str, *, seq: str = "0"
) -> Iterator[tuple[Any, Occurrence]]:
    """(seq, occurrence) of a relation with the columns of `contracts.SIGNALS[signal]`.

    `relation` and `seq` are names of ours. Repeats are still in it; see `once_key`.
    """
    if signal not in {"spans", "logs"}:
        return
    sql = (_SPANS if signal == "spans" else _LOGS).format(relation=relation, seq=seq)
    result = con.execute(sql)
    names = [column[0] for column in result.description or []]
    for values in result.fetchall():
        row = dict(zip(names, values, strict=True))
        yield from ((row["seq"], occurrence) for occurrence in told_by(signal, row))


def told_by(signal: str, row: dict[str, Any]) -> Iterator[Occurrence]:
    """Occurrences of one row of `contracts.SIGNALS[signal]`, attributes as dictionaries.

    `row_at` is its time; a span has its events with an exception in `exceptions`.
    """
    return _of_span(row) if signal == "spans" else _of_log(row)


def once_key(occurrence: Occurrence) -> str | None:
    """What makes a span event and a log record the same exception; None without a span to tell by."""
    if occurrence.trace_id is None or occurrence.span_id is None or not occurrence.type:
        return None
    parts = [
        occurrence.trace_id,
        occurrence.span_id,
        plain_type(occurrence.type).rpartition(".")[2].encode(),
        stack_hash(occurrence.stack, occurrence.type),
    ]
    return hashlib.blake2b(b"\x1f".join(parts), digest_size=16).hexdigest()


def once_rank(occurrence: Occurrence) -> tuple[bool, datetime, tuple[str, ...]]:
    """Of several tellings with one `once_key` the least counts.

    A span's before a log record's, then the earliest, then by what they are counted under.
    `fct_errors_hourly` sorts what came in several passes by the same.
    """
    o = occurrence
    counted_under = (o.component, o.version, o.environment, o.route, o.therapeutic_area)
    return o.source == "log", o.event_at, tuple(name or "" for name in counted_under)


@lru_cache(maxsize=4_096)
def stack_hash(text: str, fallback_type: str) -> bytes:
    """16 bytes over types, frames and lines: equal for one stack however it was captured."""
    stack = parse_stack(text, plain_type(fallback_type))
    if stack is None:
        return b""
    parts = [
        [plain_type(k.type), [[c.module, c.function, f.line] for f, c in named]]
        for k in stack.links
        for named in [[(f, comparable(f, stack.language)) for f in k.frames]]
    ]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).digest()


def is_content_delivery(attributes: Mapping[str, str], route: str | None, name: str) -> bool:
    """Whether therapeutic content was being delivered: told by the sender, else by route and kind."""
    told = attributes.get("tta.content.delivery")
    if told is not None:
        return told.lower() not in {"false", "0", "no", "none"}
    if any(key.startswith(_DELIVERY_PREFIXES) for key in attributes):
        return True
    return bool(_DELIVERY_ROUTE.search(route or "") or _DELIVERY_ROUTE.search(name))


def _of_span(row: dict[str, Any]) -> Iterator[Occurrence]:
    for event in row["exceptions"] or ():
        own = event["attributes"] or {}
        yield _made(
            row, own, event["event_at"] or row["row_at"], "span_event", name=row["name"], text=""
        )
    told = row["attributes"].get("error.type", "")
    # An HTTP status alone is no error of its own: request rates count it.
    is_told = bool(row["status_message"]) or (bool(told) and not told.isdigit())
    if not row["exceptions"] and row["status_code"] == "ERROR" and is_told:
        own = {"exception.type": "" if told.isdigit() else told}
        text = row["status_message"] or ""
        yield _made(row, own, row["row_at"], "span_status", name=row["name"], text=text)


def _of_log(row: dict[str, Any]) -> Iterator[Occurrence]:
    name, text = row["event_name"] or "", row["body"] or ""
    yield _made(row, row["attributes"], row["row_at"], "log", name=name, text=text)


def _made(
    row: dict[str, Any], own: Mapping[str, str], at: Any, source: str, *, name: str, text: str
) -> Occurrence:
    both = {**row["attributes"], **own}
    route = next((both[n] for n in _ROUTE if both.get(n)), None)
    type_ = own.get("exception.type", "")
    message = own.get("exception.message", "") if type_ or source == "span_event" else ""
    number = row.get("severity_number") or ERROR_SEVERITY
    return Occurrence(
        event_at=at,
        component=row["component"],
        source=source,
        type=type_,
        message=message or ("" if type_ and source == "log" else text),
        stack=own.get("exception.stacktrace", ""),
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        version=both.get("tta.release") or row["component_version"],
        environment=row["environment"],
        route=route,
        logger=both.get("tta.error.logger") or row["scope_name"] if source == "log" else name,
        session=next((both[n] for n in _SESSION if both.get(n, "").startswith("p_")), None),
        therapeutic_area=next((both[n] for n in _AREA if both.get(n)), None),
        is_content_delivery=is_content_delivery(both, route, name),
        fingerprint=_list(both.get("tta.error.fingerprint")),
        breadcrumbs=_list(both.get("tta.error.breadcrumbs")),
        severity=next((word for least, word in _SEVERITIES if number >= least), "info"),
    )


def _list(text: str | None) -> tuple[str, ...]:
    """A list attribute: one entry a line, or a JSON array as some SDKs send it."""
    if not text:
        return ()
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    return tuple(str(v) for v in values) if isinstance(values, list) else tuple(text.splitlines())
