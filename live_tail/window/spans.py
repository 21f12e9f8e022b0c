"""Spans as what they tell of: requests, AI calls, database operations, WebSockets, errors.

Here: the columns that several tables are made of, and those tables' rows. Not here: evidence of what
is down (`evidence`), keeping rows (`window`). The rules (what is a request, an AI call, a database
operation) are those of `dbt/models/intermediate/performance`; `tests/live_tail` holds both to the
same numbers.
"""

import re
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.histograms import buckets
from ingestion.meaning.names import names
from ingestion.meaning.signals import load_signals
from live_tail.window.columns import (
    Rows,
    equals,
    first_in_lists,
    grouped,
    integers,
    is_set,
    mapped,
    matched,
    ones,
)

_S = load_signals()
_TEXT = pa.string()
_HOST = re.compile(r"^[a-z]+://[^/]*")
_PATH = re.compile(r"(/\S*)")
_VERB = re.compile(r"^\s*([A-Za-z_.]+)")
_NO_MODEL_CALLS = {name: frozenset(kinds) for name, kinds in names()["no_model_calls"].items()}
_MESSAGES = names()["websocket_messages"]


class Spans(Rows):
    """Rows of spans, each derived column worked out once."""

    @cached_property
    def method(self) -> pa.Array:
        """HTTP method."""
        return self.meant("http_method")

    @cached_property
    def status(self) -> pa.Array:
        """HTTP status as a number."""
        return integers(self.meant("http_status"))

    @cached_property
    def is_web_socket(self) -> np.ndarray:
        """Whether its scheme is that of WebSockets."""
        return equals(self.meant("url_scheme"), *names()["websocket_schemes"])

    @cached_property
    def has_asgi_event(self) -> np.ndarray:
        """Whether it is one of ASGI's internal spans."""
        return is_set(self.meant("asgi_event"))

    @cached_property
    def is_outgoing(self) -> np.ndarray:
        """Whether it calls somebody else."""
        return equals(self["kind"], *names()["kinds_of_calls_out"])

    @cached_property
    def is_error(self) -> np.ndarray:
        """Whether its status says so."""
        return equals(self["status_code"], "ERROR")

    @cached_property
    def is_failed(self) -> np.ndarray:
        """Whether it ended with an error, or in a server error."""
        is_server_error = pc.greater_equal(self.status, 500).fill_null(False)
        return self.is_error | is_server_error.to_numpy(zero_copy_only=False)

    @cached_property
    def is_served(self) -> np.ndarray:
        """Whether it is an HTTP call that somebody makes here, WebSockets included."""
        return is_set(self.method) & ~self.has_asgi_event & ~self.is_outgoing

    @cached_property
    def ai_model(self) -> pa.Array:
        """Which model it calls."""
        return self.meant("ai_model")

    @cached_property
    def is_model_call(self) -> np.ndarray:
        """Whether it calls an AI model itself."""
        is_call = is_set(self.meant("ai_operation")) | is_set(self.ai_model)
        if is_call.any():
            for name, kinds in _NO_MODEL_CALLS.items():
                is_call &= ~matched(self.attribute(name), lambda kind, no=kinds: kind.lower() in no)
        return is_call

    @cached_property
    def db_system(self) -> pa.Array:
        """What kind of database it asks."""
        return self.meant("db_system")

    @cached_property
    def error_type(self) -> pa.Array:
        """What OpenTelemetry calls the kind of its error."""
        return self.meant("error_type")

    @cached_property
    def exception_type(self) -> pa.Array:
        """The type of the first exception among its events."""
        return first_in_lists(self["events"], "exception.type")

    @cached_property
    def path(self) -> pa.Array:
        """The route by its attributes alone, else null."""
        known = self.meant("route")
        return pc.coalesce(known, mapped(self.meant("whole_url"), _path_of, _TEXT))

    @cached_property
    def route(self) -> pa.Array:
        """Where it goes, if it is a request: the path, else its name."""
        return pc.coalesce(self.path, self["name"])

    @cached_property
    def log_bucket(self) -> pa.Array:
        """Its duration as a bucket of 2 % width."""
        return pa.array(buckets(self["duration_ns"].to_numpy() / 1e6))

    def named_path(self) -> pa.Array:
        """The path in its name, else null."""
        return mapped(self["name"], _path_in, _TEXT)


def tables(spans: Spans) -> Iterator[tuple[str, pa.Table]]:
    """Rows of the hot tables that spans alone make; what there is nothing of is left out."""
    is_message = equals(spans.meant("asgi_event"), *_MESSAGES.values())
    is_handshake = ~spans.has_asgi_event & spans.is_web_socket & ~spans.is_outgoing
    is_connection = is_handshake | equals(spans["name"], names()["websocket_connection_span"])
    for name, mask, made in (
        ("hot_requests", spans.is_served & ~spans.is_web_socket, _requests),
        ("hot_ai_calls", spans.is_model_call, _ai_calls),
        ("hot_db_operations", is_set(spans.db_system), _db_operations),
        ("hot_websockets", is_message | is_connection, _websockets),
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


def _websockets(spans: Spans, where: np.ndarray) -> pa.Table:
    event = spans.meant("asgi_event")
    told = spans.meant("websocket_route")
    columns = {
        **_common(spans),
        "route": pc.coalesce(told, spans.named_path(), spans["name"]),
        "closed": ones(~spans.has_asgi_event),
    }
    for side, heard in _MESSAGES.items():
        counted = integers(spans.meant(f"websocket_{side}")).fill_null(0)
        columns[side] = pc.add(ones(equals(event, heard)), counted)
    sums = [(name, "sum") for name in ("closed", "received", "sent")]
    return grouped(columns, ("bucket_at", "component", "route"), sums, where)


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


def _path_of(url: str) -> str | None:
    return _HOST.sub("", url) or None


def _path_in(name: str) -> str | None:
    found = _PATH.search(name)
    return found[1] if found else None


def _verb_of(query: str) -> str | None:
    found = _VERB.search(query)
    return found[1] if found else None


def _first_word(name: str) -> str:
    return name.split(" ", 1)[0]
