"""Calls among the spans: of AI models, of databases, over WebSockets.

Here: rows of their hot tables. Not here: what a span tells of (`spans`), keeping rows (`window`). The rules
are those of `dbt/models/intermediate`; `tests/ingestion/meaning` holds both to the same numbers.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.names import names
from live_tail.window.rows.arrow_columns import (
    equals,
    grouped,
    hashed,
    integers,
    is_set,
    mapped,
    ones,
    only,
)
from live_tail.window.rows.span_facts import Spans
from live_tail.window.rows.span_rows import BY_RELEASE, common, released

_MESSAGES = names()["websocket_messages"]
_LONGEST_FIRST_CHUNK_S = 1e6


def tables(spans: Spans) -> Iterator[tuple[str, pa.Table]]:
    """Rows of the hot tables of calls; what there is nothing of is left out."""
    is_message = equals(spans.meant("asgi_event"), *_MESSAGES.values())
    is_handshake = ~spans.has_asgi_event & spans.is_web_socket & ~spans.is_outgoing
    is_connection = is_handshake | equals(spans["name"], names()["websocket_connection_span"])
    if spans.is_model_call.any():
        yield "hot_ai_calls", _ai_calls(spans, spans.is_model_call)
    is_operation = is_set(spans.db_system)
    if is_operation.any():
        yield "hot_db_operations", _db_operations(spans, is_operation)
    is_attempt, is_fallback = is_set(spans.attempt), is_set(spans.meant("fallback_used"))
    if is_attempt.any() or is_fallback.any():
        yield "hot_recoveries", _recoveries(spans, is_attempt | is_fallback)
    if is_message.any():
        yield "hot_websocket_messages", _websocket_messages(spans, is_message)
    if is_connection.any():
        yield "hot_websocket_connections", _websocket_connections(spans, is_connection)


def _ai_calls(spans: Spans, where: np.ndarray) -> pa.Table:
    told = spans.error_type.fill_null("unspecified")
    first_chunk = mapped(spans.meant("ai_first_chunk_s"), _first_chunk_ms, pa.float64())
    output = integers(spans.meant("ai_output_tokens"))
    columns = {
        **common(spans),
        **released(spans),
        "model": spans.ai_model.fill_null("unknown"),
        "provider": spans.meant("ai_provider").fill_null("unknown"),
        "operation": spans.ai_operation,
        "failed_with": only(told, spans.is_failed_call),
        "errors": ones(spans.is_failed_call),
        "first_chunk_ms": first_chunk,
        "first_chunks": ones(is_set(first_chunk)),
        "input": integers(spans.meant("ai_input_tokens")),
        "output": output,
        "cached": integers(spans.meant("ai_cached_tokens")),
        "reasoning": integers(spans.meant("ai_reasoning_tokens")),
        "answered_ms": only(spans.milliseconds, is_set(output)),
    }
    keys = (*BY_RELEASE, "model", "provider", "operation", "failed_with", "log_bucket")
    sums = (
        "n errors ms first_chunk_ms first_chunks input output cached reasoning answered_ms".split()
    )
    aggregates = [*((name, "sum") for name in sums), ("ms", "max")]
    return grouped(columns, keys, aggregates, where)


def _db_operations(spans: Spans, where: np.ndarray) -> pa.Table:
    columns = {
        **common(spans),
        "system": spans.db_system,
        "operation": spans.db_operation,
        "collection": spans.meant("db_collection").fill_null(""),
        "statement": spans.db_statement,
        "errors": ones(spans.is_failed_call),
        "rows": integers(spans.meant("db_returned_rows")),
    }
    keys = "bucket_at component system operation collection statement log_bucket".split()
    aggregates = [("n", "sum"), ("errors", "sum"), ("ms", "sum"), ("rows", "sum"), ("ms", "max")]
    return grouped(columns, keys, aggregates, where)


def _recoveries(spans: Spans, where: np.ndarray) -> pa.Table:
    """Attempts under a retry and executions under a fallback."""
    attempt = spans.attempt.fill_null(0).to_numpy()
    used = equals(pc.utf8_lower(spans.meant("fallback_used")), "true")
    columns = {
        "bucket_at": spans.bucket("start_at"),
        "component": spans["component"],
        **released(spans),
        "attempts": ones(attempt >= 1),
        "retries": ones(attempt > 1),
        "failed": ones((attempt >= 1) & spans.is_error),
        "fallbacks": ones(is_set(spans.meant("fallback_used"))),
        "used": ones(used),
    }
    sums = [(name, "sum") for name in ("attempts", "retries", "failed", "fallbacks", "used")]
    return grouped(columns, BY_RELEASE, sums, where)


def _websocket_messages(spans: Spans, where: np.ndarray) -> pa.Table:
    event = spans.meant("asgi_event")
    columns = {
        **common(spans),
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
        **{f"bytes_{side}": integers(spans.meant(f"websocket_bytes_{side}")) for side in _MESSAGES},
        "close_code": integers(spans.meant("websocket_close_code")),
    }
    return pa.table(columns).filter(pa.array(where))


def _first_chunk_ms(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds * 1_000 if 0 <= seconds <= _LONGEST_FIRST_CHUNK_S else None
