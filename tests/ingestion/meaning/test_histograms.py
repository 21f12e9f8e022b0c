"""A duration falls into the same bucket whoever asks, and what a bucket stands for is within one percent."""

import math

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestion.meaning.histograms import (
    GAMMA,
    NOTHING,
    at_most,
    bucket_sql,
    buckets,
    milliseconds,
    milliseconds_sql,
    quantile_sql,
)

_EDGES_NS = sorted(
    {
        max(round(1e6 * GAMMA**power) + step, 0)
        for power in range(-690, 1_400)
        for step in (-1, 0, 1)
    }
)


# Each example opens a DuckDB of its own.
_ANY_TIME = settings(deadline=None)


def _in_duckdb(sql: str, **columns: object) -> list:
    con = duckdb.connect()
    con.register("t", pa.table(columns))
    return [row[0] for row in con.execute(f"SELECT {sql} FROM t").fetchall()]


def test_numpy_and_duckdb_choose_the_same_bucket_on_every_edge() -> None:
    ns = np.array([*_EDGES_NS, 0, 10**15])
    assert _in_duckdb(bucket_sql("ns / 1e6"), ns=ns) == buckets(ns / 1e6).tolist()


@_ANY_TIME
@given(st.lists(st.integers(0, 10**14), min_size=1, max_size=200))
def test_numpy_and_duckdb_choose_the_same_bucket_anywhere(durations: list[int]) -> None:
    ns = np.array(durations)
    assert _in_duckdb(bucket_sql("ns / 1e6"), ns=ns) == buckets(ns / 1e6).tolist()


@given(st.integers(1, 10**15))
@example(1)
@example(1_000_000)
def test_what_a_bucket_stands_for_is_within_one_percent(ns: int) -> None:
    (bucket,) = buckets(np.array([ns / 1e6])).tolist()
    assert math.isclose(milliseconds(bucket), ns / 1e6, rel_tol=0.0100001)


def test_what_is_no_positive_number_is_nothing() -> None:
    odd = np.array([0.0, -1.0, math.nan])
    assert buckets(odd).tolist() == [NOTHING] * 3
    assert milliseconds(NOTHING) == 0


@pytest.mark.parametrize("bucket", [NOTHING, -690, 0, 1, 1_400])
def test_python_and_duckdb_say_the_same_of_a_bucket(bucket: int) -> None:
    (said,) = _in_duckdb(milliseconds_sql("b"), b=[bucket])
    assert said == pytest.approx(milliseconds(bucket), rel=1e-12)


def test_a_quantile_is_the_first_bucket_that_reaches_it_and_null_without_rows() -> None:
    sql = quantile_sql(0.5, bucket="b")
    unknown = pa.array([None] * 3, pa.float64())
    rows = {"b": [3, 4, 5], "so_far": [1, 2, 4], "total": [4, 4, 4]}
    assert _in_duckdb(sql, **rows, longest_ms=unknown) == [milliseconds(4)]
    empty = pa.array([], pa.int64())
    assert _in_duckdb(sql, b=empty, so_far=empty, total=empty, longest_ms=empty) == [None]


@_ANY_TIME
@given(
    st.lists(st.integers(-5, 10**12), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.99])
)
def test_no_quantile_is_above_the_longest_and_sql_and_python_say_the_same(
    durations: list[int], q: float
) -> None:
    ms = np.array(durations) / 1e6
    found, counts = np.unique(buckets(ms), return_counts=True)
    columns = {
        "b": found,
        "so_far": np.cumsum(counts),
        "total": np.full(len(found), len(ms)),
        "longest_ms": np.full(len(found), ms.max()),
    }
    (said,) = _in_duckdb(quantile_sql(q, bucket="b"), **columns)
    assert said <= max(ms.max(), 0.0)
    reached = int(found[np.flatnonzero(np.cumsum(counts) >= q * len(ms))[0]])
    assert said == pytest.approx(at_most(milliseconds(reached), ms.max()), rel=1e-12)
