"""Rows of the tables of points: gauges, counters, histograms, and what is written out of quantiles.

Here: one shape of point after the other. Not here: which series a row belongs to (`points`).
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from live_tail.window.rows.arrow_columns import Rows, equals, is_true, microseconds

_MOST_SCALE = 1_000


def plain(rows: Rows) -> Rows | None:
    """Gauges and sums; what is no finite number is no value, as in the marts."""
    value = rows["value"].fill_null(np.nan).to_numpy()
    some = rows.where(equals(rows["kind"], "gauge", "sum") & np.isfinite(value))
    is_counter = equals(some["kind"], "sum") & is_true(some["is_monotonic"])
    is_delta = equals(some["temporality"], "delta")
    shape = np.where(is_counter, np.where(is_delta, "delta", "cumulative"), "gauge")
    return _shaped(some, shape, {"value": some["value"]})


def histograms(rows: Rows) -> Rows | None:
    """Explicit bounds as they are, exponential ones written out."""
    is_explicit = equals(rows["kind"], "histogram")
    is_any = is_explicit | equals(rows["kind"], "exponential_histogram")
    if not is_any.any():
        return None
    some, is_explicit = rows.where(is_any), is_explicit[is_any]
    columns = (
        "explicit_bounds bucket_counts scale zero_count positive_offset positive_counts".split()
    )
    told = some.table.select(columns).to_pylist()
    written = [
        (row["explicit_bounds"], row["bucket_counts"]) if explicit else _written_out(row)
        for row, explicit in zip(told, is_explicit, strict=True)
    ]
    shape = np.where(
        equals(some["temporality"], "delta"), "histogram_delta", "histogram_cumulative"
    )
    more = {
        "value": some["point_sum"],
        "n": some["point_count"],
        "bounds": pa.array([bounds for bounds, _ in written], pa.list_(pa.float64())),
        "counts": pa.array([counts for _, counts in written], pa.list_(pa.int64())),
    }
    return _shaped(some, shape, more)


def _written_out(row: dict[str, Any]) -> tuple[list[float], list[int]]:
    positive, offset = row["positive_counts"] or [], row["positive_offset"] or 0
    # Any 32-bit scale may come; beyond these a bound is 1 or as large as a number can be anyway.
    scale = min(max(row["scale"] or 0, -_MOST_SCALE), _MOST_SCALE)
    with np.errstate(over="ignore", under="ignore"):
        bounds = np.exp2(np.ldexp(offset + np.arange(len(positive) + 1.0), -scale))
    return bounds.tolist(), [row["zero_count"] or 0, *positive, 0]


def quantiles(rows: Rows) -> Rows | None:
    """Summaries: one gauge for each quantile, which becomes a label."""
    is_summary = equals(rows["kind"], "summary")
    if not is_summary.any():
        return None
    some = rows.where(is_summary)
    lists = some["quantiles"]
    owners = np.repeat(np.arange(some.count), lists.value_lengths().fill_null(0).to_numpy())
    each = lists.flatten()
    spread = Rows(some.table.take(pa.array(owners)))
    told = [q["quantile"] for q in each.to_pylist()]
    labels = [
        [*entries, ("quantile", number_label(quantile))]
        for entries, quantile in zip(spread["attributes"].to_pylist(), told, strict=True)
    ]
    more = {
        "value": each.field("value").fill_null(np.nan),
        "attributes": pa.array(labels, pa.map_(pa.string(), pa.string())),
    }
    return _shaped(spread, np.full(spread.count, "gauge"), more)


def totals(rows: Rows) -> Iterator[Rows]:
    """Summaries: what they counted and its sum, as counters of the names that Prometheus gives them."""
    is_summary = equals(rows["kind"], "summary")
    if not is_summary.any():
        return
    some = rows.where(is_summary)
    for suffix, column in (("_count", "point_count"), ("_sum", "point_sum")):
        known = some.where(some[column].is_valid().to_numpy(zero_copy_only=False))
        if known.count:
            name = pc.binary_join_element_wise(known["metric"], pa.scalar(suffix), "")
            value = known[column].cast(pa.float64(), safe=False)
            yield _shaped(
                known, np.full(known.count, "cumulative"), {"metric": name, "value": value}
            )


def _shaped(rows: Rows, shape: np.ndarray, more: dict[str, pa.Array]) -> Rows:
    columns = {name: rows[name] for name in ("metric", "component", "component_instance", "host")}
    columns |= {name: rows[name] for name in ("event_at", "start_at", "attributes", "is_history")}
    columns["environment"] = pc.coalesce(rows["environment"], rows.attribute("environment"))
    columns["shape"] = pa.array(shape.astype(str), pa.string())
    return Rows(pa.table(columns | more))


def point_rows(rows: Rows, series: np.ndarray) -> pa.Table:
    """One row for each series and bucket: its last point, and all of them together."""
    bucket_us = microseconds(rows.bucket("event_at"))
    # Of points of one instant the larger counts as the last, at both speeds.
    at_us = microseconds(rows["event_at"])
    order = np.lexsort((rows["value"].to_numpy(), at_us, bucket_us, series))
    ordered = rows.table.take(pa.array(order))
    bucket_us, series = bucket_us[order], series[order]
    begins = np.flatnonzero(
        np.concatenate([[True], (np.diff(series) != 0) | (np.diff(bucket_us) != 0)])
    )
    lasts = np.concatenate([begins[1:], [len(order)]]) - 1
    values = Rows(ordered)["value"].to_numpy()
    last = Rows(ordered.take(pa.array(lasts)))
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(values, begins)
    return pa.table(
        {
            "bucket_at": last.bucket("event_at"),
            "series": pa.array(series[lasts].astype(np.int32)),
            "last_at": last["event_at"],
            "start_at": last["start_at"],
            "last": last["value"],
            "low": pa.array(np.minimum.reduceat(values, begins)),
            "high": pa.array(np.maximum.reduceat(values, begins)),
            "total": pa.array(total),
            "n": pa.array(lasts - begins + 1),
            "is_history": last["is_history"],
        }
    )


def histogram_rows(rows: Rows, series: np.ndarray) -> pa.Table:
    """Rows of `hot_histograms`, by the number of their series."""
    return pa.table(
        {
            "bucket_at": rows.bucket("event_at"),
            "series": pa.array(series.astype(np.int32)),
            "last_at": rows["event_at"],
            "start_at": rows["start_at"],
            "n": rows["n"],
            "total": rows["value"],
            "bounds": rows["bounds"],
            "counts": rows["counts"],
            "is_history": rows["is_history"],
        }
    )


def number_label(value: float) -> str:
    """A bound or quantile as Prometheus' text format writes it: `1`, `0.5`, `+Inf`, `NaN`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    is_whole = value == math.floor(value) and abs(value) < 1e15
    return f"{value:.0f}" if is_whole else repr(float(value))
