"""Rows of the hot tables that spans make: requests and failed spans, and what others share of them.

Here: one table after the other, counted by bucket. Not here: what a span is (`spans`), calls of models, of
databases, over WebSockets (`calls`), evidence and failures (`evidence`, `failures`).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.signals import load_signals
from live_tail.window.rows.arrow_columns import (
    grouped,
    matched,
    ones,
)
from live_tail.window.rows.span_facts import Spans

_S = load_signals()
BY_RELEASE = ("bucket_at", "component", "version", "environment")


def tables(spans: Spans) -> Iterator[tuple[str, pa.Table]]:
    """Rows of the hot tables of requests and failed spans; what there is nothing of is left out."""
    if spans.is_request.any():
        yield "hot_requests", _requests(spans, spans.is_request)
    if spans.is_error.any():
        yield "hot_errors", _errors(spans, spans.is_error)


def _requests(spans: Spans, where: np.ndarray) -> pa.Table:
    route = spans.route
    columns = {
        **common(spans),
        **released(spans),
        "route": route,
        # Health checks and probes are shown like any other; rules on requests leave them out.
        "is_judged": pa.array(~matched(route, _S.is_ignored) & ~matched(route, _S.is_probe)),
        "method": pc.utf8_upper(spans.method),
        "status_class": _status_class(spans.status),
        "errors": ones(spans.is_failed),
    }
    keys = (*BY_RELEASE, "route", "method", "status_class", "log_bucket", "is_judged")
    return grouped(columns, keys, [("n", "sum"), ("errors", "sum"), ("ms", "max")], where)


def common(spans: Spans) -> dict[str, pa.Array]:
    """What every hot table of spans is grouped by and counts."""
    return {
        "bucket_at": spans.bucket("start_at"),
        "component": spans["component"],
        "log_bucket": spans.log_bucket,
        "n": ones(np.ones(spans.count)),
        "ms": spans.milliseconds,
    }


def released(spans: Spans) -> dict[str, pa.Array]:
    """Release and environment, empty where the sender tells none."""
    return {
        "version": spans["component_version"].fill_null(""),
        "environment": spans["environment"].fill_null(""),
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
