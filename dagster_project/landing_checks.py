"""Great Expectations suites for what was just landed.

Here: one suite per signal and a validation that returns plain findings. Not here: Dagster
(`defs/checks`), marts' tests (`dbt/`). Great Expectations takes seconds to import, so it is
imported when a suite runs.
"""

import threading
from dataclasses import dataclass
from typing import Any

import duckdb

from privacy.gate_counts import OUTCOMES

_SAMPLE_ROWS = 10_000
_COLUMNS = {
    "spans": "component, kind, status_code, duration_ns, octet_length(trace_id) AS trace_id_bytes,"
    " octet_length(span_id) AS span_id_bytes, epoch(start_at) - epoch(received_at) AS ahead_s",
    "logs": "component, severity_number, epoch(event_at) - epoch(received_at) AS ahead_s",
    "metric_points": "component, metric, kind, point_count,"
    " epoch(event_at) - epoch(received_at) AS ahead_s",
    "ledger": "component, outcome, items",
    "gate_decisions": "component, treatment, value_count",
}
# A sender's clock that runs more than this ahead is worth a warning.
_MAX_AHEAD_S = 3_600


@dataclass(frozen=True)
class Finding:
    """The result of one suite: how many expectations failed and which."""

    signal: str
    is_passed: bool
    evaluated: int
    failed: tuple[str, ...]
    row_count: int


def validate_landed(con: duckdb.DuckDBPyConnection, signal: str) -> Finding:
    """Run the suite of a signal over the landed rows that await a build."""
    select = f"SELECT {_COLUMNS[signal]} FROM landed.{signal} LIMIT {_SAMPLE_ROWS}"
    frame = con.execute(select).df()
    if frame.empty:
        return Finding(signal, True, 0, (), 0)
    import great_expectations as gx  # noqa: PLC0415 - 2.3 s

    _without_progress()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("landed").add_dataframe_asset(signal)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    result = batch.validate(gx.ExpectationSuite(signal, expectations=_suite(gx, signal)))
    configs = [r.expectation_config for r in result.results if not r.success]
    failed = tuple(f"{c.type} {c.kwargs.get('column')}" for c in configs if c is not None)
    return Finding(signal, bool(result.success), len(result.results), failed, len(frame))


def _without_progress() -> None:
    """Progress that nobody sees takes no process for a lock and no thread that wakes every ten seconds."""
    from tqdm import tqdm  # noqa: PLC0415 - with Great Expectations

    tqdm.set_lock(threading.RLock())
    tqdm.monitor_interval = 0


def _suite(gx: Any, signal: str) -> list[Any]:
    expect = gx.expectations
    common = [expect.ExpectColumnValuesToNotBeNull(column="component")]
    ahead = expect.ExpectColumnValuesToBeBetween(
        column="ahead_s", max_value=_MAX_AHEAD_S, mostly=0.9
    )
    kinds = ["gauge", "sum", "histogram", "exponential_histogram", "summary"]
    own = {
        "spans": [
            expect.ExpectColumnValuesToBeInSet(
                column="status_code", value_set=["UNSET", "OK", "ERROR"]
            ),
            expect.ExpectColumnValuesToBeInSet(column="trace_id_bytes", value_set=[16]),
            expect.ExpectColumnValuesToBeInSet(column="span_id_bytes", value_set=[8]),
            ahead,
        ],
        "logs": [
            expect.ExpectColumnValuesToBeBetween(
                column="severity_number", min_value=0, max_value=24
            ),
            ahead,
        ],
        "metric_points": [
            expect.ExpectColumnValuesToBeInSet(column="kind", value_set=kinds),
            expect.ExpectColumnValuesToBeBetween(column="point_count", min_value=0),
            ahead,
        ],
        "ledger": [expect.ExpectColumnValuesToBeBetween(column="items", min_value=1)],
        "gate_decisions": [
            expect.ExpectColumnValuesToBeInSet(column="treatment", value_set=list(OUTCOMES)),
            expect.ExpectColumnValuesToBeBetween(column="value_count", min_value=1),
        ],
    }
    return common + own[signal]
