"""Evidence of what is down and what failed, in 5-second buckets of the hot window.

Here: the tables of it, and what spans and log records tell: probes, operations per dependency. Not here:
failures (`failures`), metrics (`measured`), what names mean (`ingestion/meaning/signals`), verdicts
(`live_tail/alerts`).
"""

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.signals import load_signals
from live_tail.window.rows.arrow_columns import (
    Rows,
    first_in_lists,
    grouped,
    is_set,
    mapped,
    matched,
    ones,
    only,
)
from live_tail.window.rows.failures import failed_logs, failed_spans, is_error_log
from live_tail.window.rows.measured import of_points
from live_tail.window.rows.span_facts import Spans

SCHEMA = """
CREATE TABLE hot_probes (bucket_at TIMESTAMP, target VARCHAR, dependency VARCHAR, component VARCHAR,
    kind VARCHAR, event_at TIMESTAMP, is_up BOOLEAN);
CREATE TABLE hot_dependency_calls (bucket_at TIMESTAMP, dependency VARCHAR, address VARCHAR,
    component VARCHAR, source VARCHAR, good BIGINT, bad BIGINT, last_good_at TIMESTAMP,
    last_bad_at TIMESTAMP, probes_bad BIGINT);
CREATE TABLE hot_checks (bucket_at TIMESTAMP, dependency VARCHAR, target VARCHAR, component VARCHAR,
    series UBIGINT, event_at TIMESTAMP, start_at TIMESTAMP, n BIGINT, is_bad BOOLEAN,
    is_delta BOOLEAN, least BIGINT);
CREATE TABLE hot_failures (bucket_at TIMESTAMP, component VARCHAR, route VARCHAR, name VARCHAR,
    exception_type VARCHAR, area VARCHAR, failures BIGINT);
"""
_S = load_signals()
_TEXT, _TIME = pa.string(), pa.timestamp("us")
_PROBED = re.compile(r"/health/([^/]+)")


def tables(signal: str, rows: Rows) -> Iterator[tuple[str, pa.Table]]:
    """Rows of the evidence tables; what there is nothing of is left out."""
    made = {"spans": _of_spans, "logs": _of_logs, "metric_points": of_points}[signal](rows)
    return ((name, table) for name, table in made if table is not None and table.num_rows)


def tells_of_dependency(signal: str, failed: pa.Table) -> bool:
    """Whether rows that failed name a dependency, or are calls of one."""
    rows = Spans(failed) if signal == "spans" else Rows(failed)
    return any(name == "hot_dependency_calls" for name, _ in tables(signal, rows))


def _of_spans(rows: Rows) -> Iterator[tuple[str, pa.Table | None]]:
    spans = rows if isinstance(rows, Spans) else Spans(rows.table)
    asks_database = is_set(spans.db_system)
    if asks_database.any():
        yield "hot_dependency_calls", _calls(spans, asks_database)
    told = spans.is_failed | is_set(spans.exception_type) | is_set(spans.error_type)
    if (told & ~asks_database).any():
        yield "hot_dependency_calls", _told(Spans(spans.where(told & ~asks_database).table))
    is_probe = matched(spans.path, _S.is_probe) & ~matched(spans.path, _S.is_ignored)
    if (is_probe & spans.is_served).any():
        yield "hot_probes", _probes(spans, is_probe & spans.is_served)
    yield "hot_failures", failed_spans(spans)


def _calls(spans: Spans, where: np.ndarray) -> pa.Table:
    """Operations on databases, by dependency and address."""
    exception = pc.coalesce(spans.exception_type, spans.error_type)
    is_bad = spans.is_error & (~is_set(exception) | matched(exception, _S.is_unreachable))
    is_probe = matched(spans["name"], _is_probe_command)
    columns = {
        "bucket_at": spans.bucket("start_at"),
        "dependency": mapped(
            spans.db_system, lambda text: _S.dependency_of(text) or text.lower(), _TEXT
        ),
        "address": _address(spans),
        "component": spans["component"],
        "good": ones(~spans.is_error),
        "bad": ones(is_bad),
        "good_at": only(spans["start_at"], ~spans.is_error),
        "bad_at": only(spans["start_at"], is_bad),
        "probes": ones(is_bad & is_probe),
    }
    return _as_calls(columns, "client_spans", where)


def _told(spans: Spans) -> pa.Table | None:
    """What failed elsewhere and names a dependency that it could not reach."""
    exception = pc.coalesce(spans.exception_type, spans.error_type)
    message = first_in_lists(spans["events"], "exception.message")
    said = pc.binary_join_element_wise(
        spans["status_message"].fill_null(""), message.fill_null(""), pa.scalar(" ")
    )
    return _named(spans, "start_at", exception, said)


def _named(rows: Rows, time: str, exception: pa.Array, text: pa.Array) -> pa.Table | None:
    by_type = only(
        mapped(exception, _S.dependency_of_exception, _TEXT), matched(exception, _S.is_unreachable)
    )
    dependency = pc.coalesce(by_type, mapped(text, _S.dependency_unreachable, _TEXT))
    named = is_set(dependency)
    if not named.any():
        return None
    rows, dependency = rows.where(named), dependency.filter(pa.array(named))
    columns = {
        "bucket_at": rows.bucket(time),
        "dependency": dependency,
        "address": pa.array([""] * rows.count),
        "component": rows["component"],
        "good": ones(np.zeros(rows.count)),
        "bad": ones(np.ones(rows.count)),
        "good_at": pa.nulls(rows.count, _TIME),
        "bad_at": rows[time],
        "probes": ones(np.zeros(rows.count)),
    }
    return _as_calls(columns, "exceptions")


def _as_calls(
    columns: dict[str, pa.Array], source: str, where: np.ndarray | None = None
) -> pa.Table:
    keys = ("bucket_at", "dependency", "address", "component")
    sums = [
        ("good", "sum"),
        ("bad", "sum"),
        ("good_at", "max"),
        ("bad_at", "max"),
        ("probes", "sum"),
    ]
    made = grouped(columns, keys, sums, where)
    return made.add_column(4, "source", pa.array([source] * made.num_rows))


def _address(spans: Spans) -> pa.Array:
    host = spans.attribute("server.address", "net.peer.name").fill_null("")
    port = spans.attribute("server.port", "net.peer.port")
    with_colon = pc.binary_join_element_wise(pa.scalar(":"), port, pa.scalar("")).fill_null("")
    return pc.binary_join_element_wise(host, with_colon, pa.scalar(""))


def _is_probe_command(name: str) -> bool:
    return name.split(" ", 1)[0].upper() in _S.probe_commands


def _probes(spans: Spans, where: np.ndarray) -> pa.Table:
    """Readiness and health routes that prove something."""
    columns = {
        "bucket_at": spans.bucket("start_at"),
        "target": spans["component"],
        "dependency": mapped(spans.path, _probed_dependency, _TEXT),
        "component": spans["component"],
        "kind": pa.array(["route"] * spans.count),
        "event_at": spans["start_at"],
        "is_up": pa.array(~spans.is_failed),
    }
    return pa.table(columns).filter(pa.array(where))


def _probed_dependency(route: str) -> str | None:
    found = _PROBED.search(route)
    return _S.dependency_of(found[1]) if found else None


def _of_logs(rows: Rows) -> Iterator[tuple[str, pa.Table | None]]:
    is_error, exception = is_error_log(rows), rows.attribute("exception.type")
    told = is_error | is_set(exception)
    if told.any():
        some, is_error = rows.where(told), is_error[told]
        exception = some.attribute("exception.type")
        yield (
            "hot_dependency_calls",
            _named(some, "event_at", exception, only(some["body"], is_error)),
        )
    yield "hot_failures", failed_logs(rows)
