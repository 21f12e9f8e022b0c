"""Spans as what they tell of: requests, AI calls, database operations, WebSockets, errors.

Here: the columns that several tables are made of. Not here: those tables' rows (`span_rows`), evidence of
what is down (`evidence`). The rules (what is a request, an AI call, a database
operation) are those of `dbt/models/intermediate/performance`; `tests/live_tail` holds both to the
same numbers.
"""

import re
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.histograms import buckets
from ingestion.meaning.names import names
from ingestion.meaning.signals import load_signals
from live_tail.window.rows.arrow_columns import (
    Rows,
    equals,
    first_in_lists,
    integers,
    is_set,
    mapped,
    matched,
)

_S = load_signals()
_TEXT = pa.string()
_HOST = re.compile(r"^[a-z]+://[^/]*")
_PATH = re.compile(names()["path_in_a_name"])
_VERB = re.compile(r"^\s*([A-Za-z_.]+)")
_NO_MODEL_CALLS = {name: frozenset(kinds) for name, kinds in names()["no_model_calls"].items()}


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
    def is_request(self) -> np.ndarray:
        """Whether it is a request that is answered here."""
        return self.is_served & ~self.is_web_socket

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
    def ai_operation(self) -> pa.Array:
        """What the model is asked for: named, else by OpenInference's kind, else unknown."""
        kinds = names()["ai_operations_by_kind"]
        by_kind = mapped(self.meant("ai_kind"), lambda kind: kinds.get(kind.upper()), _TEXT)
        return pc.coalesce(self.meant("ai_operation"), by_kind).fill_null("unknown")

    @cached_property
    def is_failed_call(self) -> np.ndarray:
        """Whether, as a call of a model or a database, it failed."""
        return self.is_error | is_set(self.error_type)

    @cached_property
    def db_operation(self) -> pa.Array:
        """The verb of a database operation: named, else of its statement, else of its name."""
        asked = mapped(self.meant("db_statement"), _verb_of, _TEXT)
        named = mapped(self["name"], _first_word, _TEXT)
        return pc.utf8_upper(pc.coalesce(self.meant("db_operation"), asked, named))

    @cached_property
    def db_statement(self) -> pa.Array:
        """The beginning of a statement without its literals; empty where none is told."""
        text = self.meant("db_statement").fill_null("")
        return pc.utf8_slice_codeunits(text, 0, names()["statement_characters"])

    @cached_property
    def attempt(self) -> pa.Array:
        """Which attempt of a retried operation it is, from 1."""
        return integers(self.meant("retry_attempt"))

    @cached_property
    def milliseconds(self) -> pa.Array:
        """Its duration."""
        return pa.array(self["duration_ns"].to_numpy() / 1e6)

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
        return pa.array(buckets(self.milliseconds.to_numpy()))

    @cached_property
    def socket_route(self) -> pa.Array:
        """Where it goes, if it belongs to a WebSocket: by its attributes, else the path in its name."""
        return pc.coalesce(self.meant("websocket_route"), self.named_path(), self["name"])

    def named_path(self) -> pa.Array:
        """The path in its name, else null."""
        return mapped(self["name"], _path_in, _TEXT)


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
