"""Great Expectations suites for what was just landed.

Here: one suite per signal over what the receiver promises, which may stop a pass, and what senders may
get wrong, which never does: it is counted by component. Not here: Dagster (`defs/checks`), marts' tests
(`dbt/`). Great Expectations takes seconds to import, so it is imported when a suite runs.
"""

import threading
from dataclasses import dataclass
from typing import Any

import duckdb

from ingestion.contracts.ledger import OUTCOMES as LEDGER_OUTCOMES
from privacy.gate.counts import OUTCOMES

_SAMPLE_ROWS = 10_000
_COLUMNS = {
    "spans": "component, kind, status_code, octet_length(trace_id) AS trace_id_bytes,"
    " octet_length(span_id) AS span_id_bytes",
    "logs": "component, severity_number",
    "metric_points": "component, metric, kind, point_count",
    "ledger": "component, outcome, items",
    "gate_decisions": "component, treatment, value_count",
}
# A sender's clock that runs more than an hour ahead is worth a warning.
_AHEAD = "{time} > received_at + INTERVAL 1 HOUR"
_ODD = {
    "spans": {
        "clock_ahead": _AHEAD.format(time="start_at"),
        "end_before_start": "duration_ns < 0",
    },
    "logs": {
        "clock_ahead": _AHEAD.format(time="event_at"),
        "unknown_enum_number": "severity_number NOT BETWEEN 0 AND 24",
    },
    "metric_points": {"clock_ahead": _AHEAD.format(time="event_at")},
}


@dataclass(frozen=True)
class Odd:
    """Rows of one component of which something is odd; the reasons are those of the ledger's notes."""

    component: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Finding:
    """The result of one suite: how many expectations failed and which."""

    signal: str
    is_passed: bool
    evaluated: int
    failed: tuple[str, ...]
    row_count: int
    odd: tuple[Odd, ...] = ()


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
    passed, odd = bool(result.success), _odd_rows(con, signal)
    return Finding(signal, passed, len(result.results), failed, len(frame), odd)


def _odd_rows(con: duckdb.DuckDBPyConnection, signal: str) -> tuple[Odd, ...]:
    found = []
    for reason, condition in _ODD.get(signal, {}).items():
        rows = con.execute(
            f"SELECT component, count(*) FROM landed.{signal} WHERE {condition} GROUP BY 1 ORDER BY 1"
        ).fetchall()
        found += [Odd(component, reason, count) for component, count in rows]
    return tuple(found)


def _without_progress() -> None:
    """Progress that nobody sees takes no process for a lock and no thread that wakes every ten seconds."""
    from tqdm import tqdm  # noqa: PLC0415 - with Great Expectations

    tqdm.set_lock(threading.RLock())
    tqdm.monitor_interval = 0


def _suite(gx: Any, signal: str) -> list[Any]:
    expect = gx.expectations
    common = [expect.ExpectColumnValuesToNotBeNull(column="component")]
    kinds = ["gauge", "sum", "histogram", "exponential_histogram", "summary"]
    own = {
        "spans": [
            expect.ExpectColumnValuesToBeInSet(
                column="status_code", value_set=["UNSET", "OK", "ERROR"]
            ),
            expect.ExpectColumnValuesToBeInSet(column="trace_id_bytes", value_set=[16]),
            expect.ExpectColumnValuesToBeInSet(column="span_id_bytes", value_set=[8]),
        ],
        "logs": [expect.ExpectColumnValuesToNotBeNull(column="severity_number")],
        "metric_points": [
            expect.ExpectColumnValuesToBeInSet(column="kind", value_set=kinds),
            expect.ExpectColumnValuesToBeBetween(column="point_count", min_value=0),
        ],
        "ledger": [
            expect.ExpectColumnValuesToBeInSet(column="outcome", value_set=list(LEDGER_OUTCOMES)),
        ],
        "gate_decisions": [
            expect.ExpectColumnValuesToBeInSet(column="treatment", value_set=list(OUTCOMES)),
            expect.ExpectColumnValuesToBeBetween(column="value_count", min_value=1),
        ],
    }
    return common + own[signal]
