"""Single requests, AI calls and database operations, as one kind of row.

Here: which spans they are and what is told of each. Not here: which of them are kept (`exemplars`, `recent`).
The rules are those of `dbt/models/intermediate/traces`; `tests/ingestion/meaning` holds both to the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from live_tail.window.rows.arrow_columns import hashed, integers, is_set
from live_tail.window.rows.span_facts import Spans
from live_tail.window.rows.span_rows import released

REQUEST, AI_CALL, DB = "request", "ai_call", "db"
SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("event_at", pa.timestamp("us")),
        ("component", pa.string()),
        ("version", pa.string()),
        ("environment", pa.string()),
        ("name", pa.string()),  # route, model, or statement, else operation and collection
        ("verb", pa.string()),  # HTTP method, or operation
        ("system", pa.string()),  # provider, or kind of database; empty for requests
        ("status", pa.int64()),
        ("duration_ms", pa.float64()),
        ("is_failed", pa.bool_()),
        ("error_type", pa.string()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("trace_id", pa.binary()),
        ("span_id", pa.binary()),
    ]
)


@dataclass(frozen=True)
class Events:
    """Spans of one kind: which rows they are, and what they are told apart by."""

    kind: str
    spans: Spans
    places: np.ndarray  # of rows among the spans
    name: pa.Array  # of all spans
    is_failed: np.ndarray  # of all spans

    @property
    def keys(self) -> np.ndarray:
        """64 bits for component and name of each event, equal where both are."""
        salt = pa.array([self.kind] * self.spans.count)
        return hashed([salt, self.spans["component"], self.name])[self.places]

    def rows(self, chosen: np.ndarray) -> pa.Table:
        """Rows (`SCHEMA`) of some events, by their number among `places`."""
        spans, at = self.spans, pa.array(self.places[chosen])
        failed = pa.array(self.is_failed)
        columns = {
            "event_at": spans["start_at"],
            "component": spans["component"],
            **released(spans),
            "name": self.name,
            **_told(spans, self.kind),
            "duration_ms": spans.milliseconds,
            "is_failed": failed,
            "error_type": pc.if_else(failed, _error(spans), pa.scalar(None, pa.string())),
            "trace_id": spans["trace_id"],
            "span_id": spans["span_id"],
        }
        taken = {name: column.take(at) for name, column in columns.items()}
        taken["kind"] = pa.array([self.kind] * len(chosen))
        return pa.table({name: taken[name] for name in SCHEMA.names}, schema=SCHEMA)


def of_spans(spans: Spans) -> Iterator[Events]:
    """The events among spans, by kind; no kind of which there are none."""
    is_operation = is_set(spans.db_system)
    if spans.is_request.any():
        places = np.flatnonzero(spans.is_request)
        yield Events(REQUEST, spans, places, spans.route, spans.is_failed)
    if spans.is_model_call.any():
        model = spans.ai_model.fill_null("unknown")
        places = np.flatnonzero(spans.is_model_call)
        yield Events(AI_CALL, spans, places, model, spans.is_failed_call)
    if is_operation.any():
        places = np.flatnonzero(is_operation)
        yield Events(DB, spans, places, _asked(spans), spans.is_failed_call)


def _asked(spans: Spans) -> pa.Array:
    """The statement, else the operation and what it is on."""
    collection = spans.meant("db_collection").fill_null("")
    verb = pc.coalesce(spans.db_operation, pa.scalar(""))
    named = pc.utf8_trim_whitespace(pc.binary_join_element_wise(verb, collection, " "))
    return pc.if_else(pc.equal(spans.db_statement, ""), named, spans.db_statement)


def _told(spans: Spans, kind: str) -> dict[str, pa.Array]:
    nothing = pa.nulls(spans.count, pa.int64())
    numbers = {"status": nothing, "input_tokens": nothing, "output_tokens": nothing}
    empty = pa.array([""] * spans.count)
    if kind == REQUEST:
        verb = pc.utf8_upper(spans.method)
        return {**numbers, "verb": verb, "system": empty, "status": spans.status}
    if kind == DB:
        return {**numbers, "verb": spans.db_operation, "system": spans.db_system}
    return {
        **numbers,
        "verb": spans.ai_operation,
        "system": spans.meant("ai_provider").fill_null("unknown"),
        "input_tokens": integers(spans.meant("ai_input_tokens")),
        "output_tokens": integers(spans.meant("ai_output_tokens")),
    }


def _error(spans: Spans) -> pa.Array:
    return pc.coalesce(spans.error_type, spans.exception_type)
