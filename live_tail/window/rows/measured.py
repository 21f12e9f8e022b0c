"""What points of metrics tell of what is up: services, exporters, health checks, calls of databases.

Here: rows of probes and checks. Not here: what spans and log records tell (`evidence`), how long it is
believed (`live_tail/alerts/reading/outages`).
"""

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.meaning.signals import load_signals
from live_tail.window.rows.arrow_columns import (
    Rows,
    equals,
    hashed,
    is_set,
    mapped,
    matched,
)

_S, _TEXT = load_signals(), pa.string()
_EXPORTED = re.compile(r"^([a-z0-9]+)_up$")
_CHECKS = ("tta_health_checks_total", "db.client.operation.duration")
_HEALTHY = ("up", "healthy", "ok")


def of_points(rows: Rows) -> Iterator[tuple[str, pa.Table | None]]:
    """Rows of `hot_probes` and `hot_checks` that points of metrics make."""
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
