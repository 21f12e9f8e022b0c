"""Databases: which statements take the time, which fail, and whether anybody waits for a connection."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from streamlit_app.components import address, drawing, formats, frame
from streamlit_app.components.calls import chosen_minute, sums
from streamlit_app.components.calls.calls_panel import calls_panel
from streamlit_app.components.calls.known_names import released
from streamlit_app.components.header.saved_menu import marks
from streamlit_app.components.panels import Panel, asked, panel
from streamlit_app.components.ranked_table import Column, Row, ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import databases, ranges
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_HELP = """
Statements by the time spent in them: how often times how long. A heading of the table sorts by the slowest
or by errors. Click a statement for its slow and failed operations; an operation opens its trace. Pools show
whether anybody waits for a connection.
"""
_FILL = "Client spans with `db.system` fill it."
_STATEMENTS = Panel(
    "Statements, most time spent first", "db-statements", "database operations",
    "Time is the sum of all durations, its share that of all statements. Values in statements were replaced"
    " by `?` before they were written.", _FILL,
)  # fmt: skip
_POOLS = Panel(
    "Connection pools", "db-pools", "connection pools",
    "Used and idle are means, waiting is the most at once, the wait a mean over those that waited.",
    "Metrics `db.client.connection.*` fill it with the next pass.",
)  # fmt: skip
_POOLS_OVER_TIME = Panel(
    "Waiting for a connection", "db-waiting", "connection pools", "The most that waited at once, by pool.",
    "Metrics `db.client.connection.pending_requests` fill it with the next pass.",
)  # fmt: skip
_SLOW_S = 15
_SHORT = 60


_statement_ms = partial(formats.plain_ms, digits=2)
_COLUMNS = (
    Column("told", "Statement", hover=lambda row: str(row["subject"])),
    Column("component", "Component"),
    Column("system", "System"),
    Column("duration_ms_sum", "Time", "bar", formats.duration_ms),
    Column("time_pct", "Share %", "number", lambda v: f"{v:.1f}"),
    Column("operation_count", "Operations", "number", formats.whole),
    Column("error_count", "Errors", "bar", formats.whole, is_bad=lambda v: v > 0),
    Column("p95_ms", "p95 ms", "bar", _statement_ms),
    Column("p99_ms", "p99 ms", "number", _statement_ms),
    Column("returned_rows", "Rows", "number", formats.whole, note="A dash: not reported"),
)
_POOL_COLUMNS = (
    Column("pool", "Pool"),
    Column("component", "Component"),
    Column("used_connections", "Used", "number", lambda v: f"{v:.1f}"),
    Column("idle_connections", "Idle", "number", lambda v: f"{v:.1f}"),
    Column("max_connections", "Most", "number", formats.whole),
    Column("pending_requests", "Waiting", "bar", formats.whole, is_bad=lambda v: v > 0),
    Column("wait_ms", "Wait ms", "number", _statement_ms),
    Column("timeout_count", "Timeouts", "bar", formats.whole, is_bad=lambda v: v > 0),
)


def main() -> None:
    """Draw the page."""
    statement = st.query_params.get("statement")
    trail = (
        [("All statements", address.here(statement=None)), (statement[:_SHORT], "")]
        if statement
        else []
    )
    shown = frame.page(
        "databases", "Databases", filters=("component",), known=released, trail=trail, help=_HELP
    )
    frame.live(_drawn, shown, least_s=_SLOW_S)


def _drawn(shown: View) -> None:
    statements = asked("databases", databases.statements, shown)
    pools = asked("databases", databases.pools, shown)
    _figures(statements, pools, shown)
    statement = st.query_params.get("statement")
    if statement:
        _calls(statement, shown)
        panel(_STATEMENTS, shown, statements, _statements)
        _pools(pools, shown)
    else:
        panel(_STATEMENTS, shown, statements, _statements)
        _pools(pools, shown)
        _calls(None, shown)


def _figures(statements: Reading | None, pools: Reading | None, shown: View) -> None:
    rows = statements.frame if statements is not None else pd.DataFrame()
    if rows.empty:
        return
    seconds = shown.length.total_seconds()
    count, errors = sums.total(rows, "operation_count"), sums.total(rows, "error_count")
    spent, first = sums.total(rows, "duration_ms_sum") or 0.0, rows.iloc[0].to_dict()
    waiting = sums.known(pools.frame, "pending_requests") if pools is not None else []
    share = f"{formats.percent(first['time_pct'])} of the time"
    tiles(
        [
            Tile("Operations", formats.number(sums.rate(rows, "operation_count", seconds), "/s")),
            Tile("Errors", formats.percent(sums.share(errors, count))),
            Tile("Time spent", formats.number(spent / seconds, "ms/s"), note="of all callers together"),
            Tile("Mean", formats.duration_ms(spent / count if count else None)),
            Tile("Most time", subject(first)[:20], note=share,
                 link=address.here(statement=subject(first))),
            Tile("Waiting", formats.number(max(waiting, default=None), digits=0),
                 state="warning" if any(waiting) else None,
                 missing="No pool reports who waits for a connection."),
        ]
    )  # fmt: skip


def subject(row: Row) -> str:
    """What an operation is called: its statement, else the operation and what it is on, as exemplars do."""
    return row["statement"] or f"{row['operation'] or ''} {row['collection'] or ''}".strip()


def _statements(reading: Reading) -> None:
    names = [subject(row) for row in reading.frame.to_dict("records")]
    rows = reading.frame.assign(
        subject=names, told=[name if len(name) <= _SHORT else f"{name[:_SHORT]}…" for name in names]
    )
    ranked_table(
        rows, _COLUMNS, key="statements", caption="Statements, most time spent first", most=10,
        link=lambda row: address.here(statement=row["subject"], component=row["component"]),
    )  # fmt: skip


def _calls(statement: str | None, shown: View) -> None:
    minute = chosen_minute.chosen(shown, ranges.step_s(shown))
    chosen_minute.line(minute)
    title = "Slow and failed operations"
    calls_panel(
        f"{title} of {statement[:_SHORT]}" if statement else title, "db", shown, back="databases",
        subject=statement, minute=minute, at=st.query_params.get("at", ""), statement=statement or "",
    )  # fmt: skip


def _pools(pools: Reading | None, shown: View) -> None:
    left, right = st.columns(2)
    with left:
        panel(_POOLS, shown, pools, _pool_table)
    with right:
        over_time = asked("databases", databases.pools_over_time, shown)
        panel(_POOLS_OVER_TIME, shown, over_time, lambda r: _waiting(r, shown))


def _pool_table(reading: Reading) -> None:
    ranked_table(
        reading.frame, _POOL_COLUMNS, key="pools", caption="Pools, most waiting first", most=8
    )


def _waiting(reading: Reading, shown: View) -> dict[str, Any]:
    names = reading.frame["component"] + " " + reading.frame["pool"]
    rows = reading.frame.assign(series=names, value=reading.frame["pending_requests"].astype(float))
    return drawing.time_chart(
        rows, "value", "series", "", shown, key="waiting", step_s=max(ranges.step_s(shown), 60),
        marks=marks(shown), height=160,
    )  # fmt: skip


main()
