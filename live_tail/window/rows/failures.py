"""Failures as the hot window counts them: spans and log records that ended badly, by route and area.

Here: which rows count, and from when. Not here: evidence of what is down (`evidence`, `measured`), error
groups (`live_tail/window/error_groups`).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.signals import load_signals
from live_tail.window.rows.arrow_columns import (
    Rows,
    bucket_of,
    equals,
    grouped,
    is_set,
    matched,
    microseconds,
    ones,
    only,
)
from live_tail.window.rows.span_facts import Spans

_S = load_signals()
ERROR_SEVERITY = 17
_TIME = pa.timestamp("us")
# A failure counts from when we learn of it, if that was within so long of its end.
_HEARD_WITHIN_US = 300 * 1_000_000
_FAILURE = ("bucket_at", "component", "route", "name", "exception_type", "area")


def failures(signal: str, rows: Rows) -> pa.Table | None:
    """Rows of `hot_failures`, if any; all that the fast lane looks at."""
    return failed_spans(rows) if isinstance(rows, Spans) else failed_logs(rows)


def failed_spans(spans: Spans) -> pa.Table | None:
    """Failed spans that are no probe and no message of a WebSocket, counted; None for none."""
    if not spans.is_failed.any():
        return None
    route = spans.path
    counts = spans.is_failed & ~spans.has_asgi_event
    counts &= ~matched(route, _S.is_ignored) & ~matched(route, _S.is_probe)
    if not counts.any():
        return None
    failed = Spans(spans.where(counts).table)
    ended = microseconds(failed["start_at"]) + failed["duration_ns"].to_numpy() // 1_000
    served = only(pc.coalesce(failed.path, failed.named_path()), ~failed.is_outgoing)
    content = _is_content(failed, served, failed["name"])
    columns = {
        "bucket_at": _learned_at(failed, ended),
        "component": failed["component"],
        "route": failed.path.fill_null(""),
        "name": failed["name"],
        "exception_type": pc.coalesce(failed.exception_type, failed.error_type).fill_null(""),
        "area": pc.if_else(pa.array(content), "content_delivery", ""),
        "n": ones(np.ones(failed.count)),
    }
    return grouped(columns, _FAILURE, [("n", "sum")])


def failed_logs(rows: Rows) -> pa.Table | None:
    """Error records of content delivery, counted; None for none."""
    is_error = is_error_log(rows)
    if not is_error.any():
        return None
    errors = rows.where(is_error)
    route = errors.attribute("http.route", "endpoint").fill_null("")
    content = _is_content(errors, route, errors["event_name"])
    content |= equals(errors.attribute("category"), "therapeutic")
    if not content.any():
        return None
    failed, route = errors.where(content), route.filter(pa.array(content))
    columns = {
        "bucket_at": _learned_at(failed, microseconds(failed["event_at"])),
        "component": failed["component"],
        "route": route,
        "name": pa.array([""] * failed.count),
        "exception_type": failed.attribute("exception.type").fill_null(""),
        "area": pa.array(["content_delivery"] * failed.count),
        "n": ones(np.ones(failed.count)),
    }
    return grouped(columns, _FAILURE, [("n", "sum")])


def _is_content(rows: Rows, route: pa.Array, name: pa.Array) -> np.ndarray:
    found = matched(route, _S.is_content_route) | matched(name, _S.is_content_name)
    for attribute in _S.content_delivery["attributes"]:
        value = rows.attribute(attribute)
        found |= is_set(value) & ~equals(value, "", "false")
    return found


def _learned_at(rows: Rows, ended_us: np.ndarray) -> pa.Array:
    """A call that timed out began long before, and senders' clocks differ. What was held back for
    longer stays where it happened."""
    received_us = microseconds(rows["received_at"])
    is_near = np.abs(received_us - ended_us) <= _HEARD_WITHIN_US
    return bucket_of(pa.array(np.where(is_near, received_us, ended_us)).cast(_TIME))


def is_error_log(rows: Rows) -> np.ndarray:
    """Which log records are errors or worse."""
    return rows["severity_number"].to_numpy() >= ERROR_SEVERITY
