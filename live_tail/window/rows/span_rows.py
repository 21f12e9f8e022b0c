"""Rows of the hot tables that spans make: requests, AI calls, database operations, WebSockets, errors.

Here: one table after the other, counted by bucket. Not here: what a span is (`spans`), evidence and failures
(`evidence`, `failures`).
"""

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.names import names
from ingestion.meaning.signals import load_signals
from live_tail.window.rows.columns import (
    equals,
    grouped,
    hashed,
    integers,
    is_set,
    mapped,
    matched,
    ones,
)
from live_tail.window.rows.spans import Spans

_S, _TEXT = load_signals(), pa.string()
_VERB = re.compile(r"^\s*([A-Za-z_.]+)")
_MESSAGES = names()["websocket_messages"]


def tables(spans: Spans) -> Iterator[tuple[str, pa.Table]]:
    """Rows of the hot tables that spans alone make; what there is nothing of is left out."""
    is_message = equals(spans.meant("asgi_event"), *_MESSAGES.values())
    is_handshake = ~spans.has_asgi_event & spans.is_web_socket & ~spans.is_outgoing
    is_connection = is_handshake | equals(spans["name"], names()["websocket_connection_span"])
    for name, mask, made in (
        ("hot_requests", spans.is_served & ~spans.is_web_socket, _requests),
        ("hot_ai_calls", spans.is_model_call, _ai_calls),
        ("hot_db_operations", is_set(spans.db_system), _db_operations),
        ("hot_websocket_messages", is_message, _websocket_messages),
        ("hot_websocket_connections", is_connection, _websocket_connections),
        ("hot_errors", spans.is_error, _errors),
    ):
        if mask.any():
            yield name, made(spans, mask)


def _requests(spans: Spans, where: np.ndarray) -> pa.Table:
    route = spans.route
    columns = {
        **_common(spans),
        "route": route,
        # Health checks and probes are shown like any other; rules on requests leave them out.
        "is_judged": pa.array(~matched(route, _S.is_ignored) & ~matched(route, _S.is_probe)),
        "method": pc.utf8_upper(spans.method),
        "status_class": _status_class(spans.status),
        "errors": ones(spans.is_failed),
    }
    keys = "bucket_at component route method status_class log_bucket is_judged".split()
    return grouped(columns, keys, [("n", "sum"), ("errors", "sum"), ("ms", "max")], where)


def _ai_calls(spans: Spans, where: np.ndarray) -> pa.Table:
    columns = {
        **_common(spans),
        "model": spans.ai_model.fill_null("unknown"),
        "provider": spans.meant("ai_provider").fill_null("unknown"),
        "errors": ones(spans.is_error | is_set(spans.error_type)),
        "input": integers(spans.meant("ai_input_tokens")),
        "output": integers(spans.meant("ai_output_tokens")),
    }
    keys = ("bucket_at", "component", "model", "provider", "log_bucket")
    sums = [(name, "sum") for name in ("n", "errors", "input", "output")]
    return grouped(columns, keys, [*sums, ("ms", "max")], where)


def _db_operations(spans: Spans, where: np.ndarray) -> pa.Table:
    said = spans.meant("db_operation")
    asked = mapped(spans.meant("db_statement"), _verb_of, _TEXT)
    named = mapped(spans["name"], _first_word, _TEXT)
    columns = {
        **_common(spans),
        "system": spans.db_system,
        "operation": pc.utf8_upper(pc.coalesce(said, asked, named)),
        "errors": ones(spans.is_error | is_set(spans.error_type)),
    }
    keys = ("bucket_at", "component", "system", "operation", "log_bucket")
    return grouped(columns, keys, [("n", "sum"), ("errors", "sum"), ("ms", "max")], where)


def _websocket_messages(spans: Spans, where: np.ndarray) -> pa.Table:
    event = spans.meant("asgi_event")
    columns = {
        **_common(spans),
        "route": spans.socket_route,
        # A connection is the span that its messages' spans stand under.
        "connection": pa.array(hashed([spans["trace_id"], spans["parent_span_id"]])),
        **{side: ones(equals(event, heard)) for side, heard in _MESSAGES.items()},
    }
    keys = ("bucket_at", "component", "route", "connection")
    return grouped(columns, keys, [("received", "sum"), ("sent", "sum")], where)


def _websocket_connections(spans: Spans, where: np.ndarray) -> pa.Table:
    columns = {
        "bucket_at": spans.bucket("start_at"),
        "opened_at": spans["start_at"],
        "component": spans["component"],
        "route": spans.socket_route,
        "name": spans["name"],
        "connection": pa.array(hashed([spans["trace_id"], spans["span_id"]])),
        "duration_ns": spans["duration_ns"],
        **{side: integers(spans.meant(f"websocket_{side}")) for side in _MESSAGES},
    }
    return pa.table(columns).filter(pa.array(where))


def _common(spans: Spans) -> dict[str, pa.Array]:
    return {
        "bucket_at": spans.bucket("start_at"),
        "component": spans["component"],
        "log_bucket": spans.log_bucket,
        "n": ones(np.ones(spans.count)),
        "ms": pa.array(spans["duration_ns"].to_numpy() / 1e6),
    }


def _errors(spans: Spans, where: np.ndarray) -> pa.Table:
    columns = {
        "bucket_at": spans.bucket("start_at"),
        "event_at": spans["start_at"],
        "component": spans["component"],
        "name": spans["name"],
        "status_message": spans["status_message"],
        "exception_type": spans.exception_type,
    }
    return pa.table(columns).filter(pa.array(where))


def _status_class(status: pa.Array) -> pa.Array:
    numbers = status.fill_null(0).to_numpy()
    names = pa.array(["none", "1xx", "2xx", "3xx", "4xx", "5xx"])
    known = (numbers >= 100) & (numbers < 600)
    return names.take(pa.array(np.where(known, numbers // 100, 0)))


def _verb_of(query: str) -> str | None:
    found = _VERB.search(query)
    return found[1] if found else None


def _first_word(name: str) -> str:
    return name.split(" ", 1)[0]
