"""Evidence of what is down and what failed, in 5-second buckets of the hot window.

Here: rows of probes, of operations per dependency, of counters of either, and of failures, from what
the window finds new. Not here: what names mean (`signals`), requests and latency (`spans`), verdicts
(`live_tail/alerts`).
"""

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.signals import load_signals
from live_tail.window.columns import (
    Rows,
    bucket_of,
    equals,
    first_in_lists,
    grouped,
    hashed,
    is_set,
    mapped,
    matched,
    microseconds,
    ones,
    only,
)
from live_tail.window.spans import Spans

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
ERROR_SEVERITY = 17
_S = load_signals()
_TEXT, _FLAG = pa.string(), pa.bool_()
_TIME = pa.timestamp("us")
# A failure counts from when we learn of it, if that was within so long of its end.
_HEARD_WITHIN_US = 300 * 1_000_000
_PROBED = re.compile(r"/health/([^/]+)")
_EXPORTED = re.compile(r"^([a-z0-9]+)_up$")
_CHECKS = ("tta_health_checks_total", "db.client.operation.duration")
_HEALTHY = ("up", "healthy", "ok")
_FAILURE = ("bucket_at", "component", "route", "name", "exception_type", "area")


def tables(signal: str, rows: Rows) -> Iterator[tuple[str, pa.Table]]:
    """Rows of the evidence tables; what there is nothing of is left out."""
    made = {"spans": _of_spans, "logs": _of_logs, "metric_points": _of_points}[signal](rows)
    return ((name, table) for name, table in made if table is not None and table.num_rows)


def failures(signal: str, rows: Rows) -> pa.Table | None:
    """Rows of `hot_failures`, if any; all that the fast lane looks at."""
    return _failed_spans(rows) if isinstance(rows, Spans) else _failed_logs(rows)


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
    yield "hot_failures", _failed_spans(spans)


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


def _failed_spans(spans: Spans) -> pa.Table | None:
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


def _failed_logs(rows: Rows) -> pa.Table | None:
    is_error = _is_error_log(rows)
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


def _is_error_log(rows: Rows) -> np.ndarray:
    return rows["severity_number"].to_numpy() >= ERROR_SEVERITY


def _of_logs(rows: Rows) -> Iterator[tuple[str, pa.Table | None]]:
    is_error, exception = _is_error_log(rows), rows.attribute("exception.type")
    told = is_error | is_set(exception)
    if told.any():
        some, is_error = rows.where(told), is_error[told]
        exception = some.attribute("exception.type")
        yield (
            "hot_dependency_calls",
            _named(some, "event_at", exception, only(some["body"], is_error)),
        )
    yield "hot_failures", _failed_logs(rows)


def _of_points(rows: Rows) -> Iterator[tuple[str, pa.Table | None]]:
    measured = (rows["flags"].to_numpy() & 1) == 0
    has_value = measured & is_set(rows["value"])
    service = rows.attribute("service")
    is_service = has_value & equals(rows["metric"], "tta_service_up") & is_set(service)
    if is_service.any():
        some = rows.where(is_service)
        named = some.attribute("service")
        yield "hot_probes", _up(some, named, mapped(named, _S.dependency_of, _TEXT))
    exported = mapped(rows["metric"], _exported_dependency, _TEXT)
    is_exported = has_value & is_set(exported)
    if is_exported.any():
        some = rows.where(is_exported)
        yield "hot_probes", _up(some, some["metric"], exported.filter(pa.array(is_exported)))
    is_check = measured & equals(rows["metric"], *_CHECKS)
    if is_check.any():
        yield "hot_checks", _checks(rows.where(is_check))


def _up(rows: Rows, target: pa.Array, dependency: pa.Array) -> pa.Table:
    return pa.table(
        {
            "bucket_at": rows.bucket("event_at"),
            "target": target,
            "dependency": dependency,
            "component": rows["component"],
            "kind": rows["metric"],
            "event_at": rows["event_at"],
            "is_up": pc.greater_equal(rows["value"], 1.0),
        }
    )


def _exported_dependency(metric: str) -> str | None:
    """What exporters say of their dependency: redis_up, mysql_up."""
    found = _EXPORTED.match(metric)
    return _S.dependency_of(found[1]) if found else None


def _checks(rows: Rows) -> pa.Table:
    is_check = equals(rows["metric"], _CHECKS[0])
    database = rows.meant("db_system")
    target = pc.if_else(pa.array(is_check), rows.attribute("service"), database)
    dependency = mapped(target, _S.dependency_of, _TEXT)
    n = pc.coalesce(_whole_value(rows["value"]), rows["point_count"])
    status = mapped(rows.attribute("status").fill_null(""), str.lower, _TEXT)
    is_bad = np.where(
        is_check,
        ~equals(status, *_HEALTHY),
        matched(rows.meant("error_type"), _S.is_unreachable),
    )
    identity = [rows[c] for c in ("metric", "component", "component_instance", "attributes")]
    named = pc.binary_join_element_wise(rows["metric"], target, pa.scalar(" "))
    made = pa.table(
        {
            "bucket_at": rows.bucket("event_at"),
            "dependency": dependency,
            "target": named,
            "component": rows["component"],
            "series": pa.array(hashed(identity)),
            "event_at": rows["event_at"],
            "start_at": rows["start_at"],
            "n": n,
            "is_bad": pa.array(is_bad),
            "is_delta": pc.equal(rows["temporality"], "delta"),
            "least": pa.array(np.where(is_check, 1, 2)),
        }
    )
    return made.filter(pa.array(is_set(dependency) & is_set(n)))


def _whole_value(value: pa.Array) -> pa.Array:
    """A number rounded to a whole one; what is none, or too large, is null."""
    numbers = value.fill_null(np.nan).to_numpy()
    fits = np.isfinite(numbers) & (np.abs(numbers) < 2.0**63)
    rounded = np.rint(np.where(fits, numbers, 0.0)).astype(np.int64)
    return pa.array(rounded, mask=~fits)
