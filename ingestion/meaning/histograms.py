"""Latencies as log-bucket histograms: which bucket a duration falls into, and what a bucket stands for.

Bucket i holds (gamma^(i-1), gamma^i] milliseconds with gamma = 1.01 / 0.99, so that the estimate
2 · gamma^i / (gamma + 1) is within 1 % of every value in it (DDSketch: Masson, Rim, Lee, VLDB 2019). What
is not positive falls into NOTHING. Histograms merge by adding counts. Beside them the longest duration is
known exactly: no quantile is estimated above it.

Here: the numbers, for NumPy, Python and SQL. Not here: who counts (`live_tail/window`, `dbt/models`).
"""

import math

import numpy as np

GAMMA = 1.01 / 0.99
NOTHING = -1_000
EDGE_SLACK = 1e-9
"""Buckets, by which every edge lies higher than its power of gamma, on which 1 ms would lie exactly. Up to
100 s no whole number of nanoseconds comes nearer to such an edge than 4e-12 buckets, while two ways of
computing a logarithm differ by 1e-13: NumPy and DuckDB choose the same bucket."""

_LOG_GAMMA = math.log(GAMMA)
_Z = 1.959964  # of the normal distribution, two-sided 95 %


def buckets(ms: np.ndarray) -> np.ndarray:
    """int32 bucket of each duration in milliseconds; NaN and what is not positive are NOTHING."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = np.ceil(np.log(ms) / _LOG_GAMMA - EDGE_SLACK)
        return np.where(ms > 0, exact, NOTHING).astype(np.int32)


def milliseconds(bucket: int) -> float:
    """What a bucket stands for, in milliseconds."""
    return 0.0 if bucket == NOTHING else 2 * math.pow(GAMMA, bucket) / (GAMMA + 1)


def at_most(estimate_ms: float, longest_ms: float | None) -> float:
    """An estimated quantile in milliseconds, at most the longest duration where that is known."""
    return estimate_ms if longest_ms is None else min(estimate_ms, max(longest_ms, 0.0))


def bucket_sql(ms: str) -> str:
    """DuckDB's SQL for `buckets` of an expression."""
    return (
        f"CASE WHEN {ms} > 0 THEN ceil(ln({ms}) / {_LOG_GAMMA!r} - {EDGE_SLACK!r})::INTEGER"
        f" ELSE {NOTHING} END"
    )


def milliseconds_sql(bucket: str) -> str:
    """DuckDB's SQL for `milliseconds` of an expression."""
    return (
        f"CASE WHEN {bucket} = {NOTHING} THEN 0.0"
        f" ELSE 2 * pow({GAMMA!r}, {bucket}) / {GAMMA + 1!r} END"
    )


def quantile_sql(
    q: float,
    *,
    bucket: str,
    so_far: str = "so_far",
    total: str = "total",
    longest: str = "longest_ms",
) -> str:
    """DuckDB's SQL for a quantile over rows that carry running counts by bucket and a longest duration.

    Null without rows; `at_most` the longest of all rows where that is not null.
    """
    reached = milliseconds_sql(f"min({bucket}) FILTER (WHERE {so_far} >= {q} * {total})")
    # DuckDB's least leaves out what is null.
    return (
        f"CASE WHEN count(*) > 0 THEN least({reached}, CASE WHEN max({longest}) IS NOT NULL"
        f" THEN greatest(max({longest}), 0.0) END) END"
    )


def quantile_interval_sql(
    q: float,
    *,
    bucket: str,
    so_far: str = "so_far",
    total: str = "total",
    longest: str = "longest_ms",
) -> tuple[str, str]:
    """DuckDB's SQL for the 95 % interval of a quantile, by order statistics: low and high, milliseconds.

    The rank of the true quantile is binomial, taken as normal (Conover, Practical Nonparametric Statistics,
    3.2). An end for which there are too few values is null; none is above the longest.
    """
    spread = f"{_Z} * sqrt({total} * {q * (1 - q)!r})"
    low, high = f"floor({total} * {q} - {spread})", f"ceil({total} * {q} + {spread}) + 1"
    ends = (
        f"min({bucket}) FILTER (WHERE {low} >= 1 AND {so_far} >= {low})",
        f"min({bucket}) FILTER (WHERE {high} <= {total} AND {so_far} >= {high})",
    )
    low_sql, high_sql = (
        f"CASE WHEN {end} IS NOT NULL THEN least({milliseconds_sql(end)}, max({longest})) END"
        for end in ends
    )
    return low_sql, high_sql
