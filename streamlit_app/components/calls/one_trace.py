"""One trace: where its time went, its waterfall, its calls, errors and log lines, and where each leads.

Here: drawing. Not here: facts (`trace_facts`), the bars (`components/waterfall`), the chosen span
(`span_details`), a trace that is not kept (`not_kept`).
"""

from collections import Counter
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from streamlit_app.components import address, formats, markup
from streamlit_app.components.calls import span_details, sums, trace_facts
from streamlit_app.components.calls.trace_facts import Facts
from streamlit_app.components.header.style import look
from streamlit_app.components.panels import Panel, panel
from streamlit_app.components.ranked_table import Column, Row, ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.components.waterfall import waterfall
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_WATERFALL = Panel(
    "Waterfall", "waterfall", "spans",
    "Full bars are the critical path: what made the trace as long as it is. Dots are gaps in which nothing"
    " was measured. ◆ are events and log lines, ✖ errors. Click a span for its attributes.",
)  # fmt: skip
_CALLS = Panel(
    "Database and AI calls", "trace-calls", "calls of databases or models", "The longest first.",
    "Its spans name no database and no model.",
)  # fmt: skip
_ERRORS = Panel(
    "Errors", "trace-errors", "errors", "Errors of this trace, by group. Click one for its group.",
    "None of its spans and log lines is an error.",
)  # fmt: skip
_LOGS = Panel(
    "Log lines", "trace-logs", "log lines", "Log records with the id of this trace, as skeletons.",
    "Records with a trace id fill it.",
)  # fmt: skip
_MOST_SPANS = 400
_AROUND = timedelta(minutes=15)


def one_trace(
    spans: Reading, logs: Reading | None, errors: Reading | None, view: View, *, chosen: str = ""
) -> None:
    """Draw a trace of at least one span; `chosen` is the id of the span whose attributes are shown."""
    known = trace_facts.facts(spans.frame)
    near = around(known, view)
    calls = trace_facts.calls(known)
    st.html(
        f'<p role="status" style="margin:0"><b>{markup.text(trace_facts.sentence(known))}</b> '
        f'<span class="tta-quiet">{_where(known, near)}</span></p>'
    )
    _figures(known, calls, errors)
    _fall(spans, logs, known, near, chosen)
    left, right = st.columns(2)
    with left:
        panel(_CALLS, near, spans.with_frame(calls), _call_table)
    with right:
        panel(_ERRORS, near, errors, lambda r: _error_table(r, near))
    panel(_LOGS, near, logs, lambda r: _log_table(r, known))


def around(known: Facts, view: View) -> View:
    """The time around a trace, without filters that it need not meet."""
    return view.but(
        start_at=(known.start_at - _AROUND).replace(microsecond=0),
        end_at=(known.end_at + _AROUND).replace(microsecond=0),
        component=None, environment=None, version=None, route=None, model=None, search="", compare=None,
    )  # fmt: skip


def _where(known: Facts, near: View) -> str:
    """HTML: when it began, and links to the components and releases it went through."""
    parts = [f"{near.local(known.start_at):%d %b %H:%M:%S.%f}"[:-3] + f" {near.zone}"]
    releases = known.rows.groupby(["component", "version"], dropna=False, sort=False).size().index
    for component, version in list(releases)[:6]:
        parts.append(markup.link(str(component), near.link("performance", component=component)))
        if version:
            to = near.link("performance", component=component, version=version)
            parts.append(markup.link(f"release {version}", to))
    host = span_details.host(known.root)
    if host:
        here = near.link("performance", component=known.root["component"])
        parts.append(f"on {markup.link(host, here, title='Processes and hosts at that time')}")
    return " · ".join(parts)


def _figures(known: Facts, calls: pd.DataFrame, errors: Reading | None) -> None:
    of_models, of_databases = (
        pd.DataFrame(calls[calls["kind"] == kind]) for kind in ("AI call", "Database")
    )
    components = len(set(known.rows["component"]))
    count = len(errors.frame) if errors is not None and not errors.problem else None
    note = f"in {components} component{'s' if components > 1 else ''}"
    lost = f", {known.lost} without their parent" if known.lost else ""
    failed = f"{known.failed} failed span{'s' if known.failed != 1 else ''}"
    tiles(
        [
            Tile("Duration", formats.duration_ms(known.length_ms)),
            Tile("Spans", formats.number(len(known.rows), digits=0), note=note + lost),
            Tile("Errors", formats.number(count, digits=0), note=failed, state="critical" if count else None),
            Tile("Without a span", formats.duration_ms(known.gap_ms), note="on the critical path"),
            Tile("AI calls", formats.number(len(of_models), digits=0), note=_tokens(of_models)),
            Tile("Database calls", formats.number(len(of_databases), digits=0),
                 note=_time(of_databases)),
        ]
    )  # fmt: skip


def _time(calls: pd.DataFrame) -> str:
    return formats.duration_ms(sums.total(calls, "length_ms")) if len(calls) else ""


def _tokens(calls: pd.DataFrame) -> str:
    names = {"tokens_in": "in", "tokens_out": "out"}
    found = {word: sums.total(calls, name) for name, word in names.items()}
    told = [f"{value:,.0f} {word}" for word, value in found.items() if value is not None]
    return f"tokens {', '.join(told)}" if told else ""


def _fall(spans: Reading, logs: Reading | None, known: Facts, near: View, chosen: str) -> None:
    """The waterfall, with the chosen span beside it."""
    lines = logs.frame if logs is not None else pd.DataFrame()
    span = known.rows[known.rows["span_id"] == chosen]

    def draw(_: Reading) -> dict[str, Any]:
        shown = known.rows.head(_MOST_SPANS)
        drawn = [name for name in spans.frame.columns if name in shown]
        waterfall(
            _with_times(pd.DataFrame(shown[drawn])),
            trace_facts.in_place(lines, known),
            chosen=chosen,
        )
        if len(known.rows) > _MOST_SPANS:
            st.caption(
                f"The first {_MOST_SPANS} of {len(known.rows):,} spans; the export holds all."
            )
        return charts.waterfall(spans.frame, look=look()).to_dict()

    if span.empty:
        panel(_WATERFALL, near, spans, draw)
        return
    left, right = st.columns([11, 5])
    with left:
        panel(_WATERFALL, near, spans, draw)
    with right, st.container(border=True):
        span_details.span_details(span.iloc[0].to_dict(), near)


def _with_times(spans: pd.DataFrame) -> pd.DataFrame:
    """Events with `at`, as the waterfall has them."""
    return spans.assign(
        events=[
            [{**e, "at": e["event_at"]} for e in told]
            for told in spans["events"].map(span_details.events)
        ]
    )


def _call_table(reading: Reading) -> None:
    rows = reading.frame.assign(
        outcome=[
            ("critical", "failed") if failed else ("ok", "ok")
            for failed in reading.frame["is_failed"]
        ]
    )
    columns = [
        Column(
            "asked",
            "Asked",
            hover=lambda row: f"{row['kind']} of {row['component']}: {row['asked']}",
        ),
        Column("length_ms", "Duration", "bar", formats.duration_ms),
        Column("outcome", "Outcome", "pill"),
    ]
    numbers = {"tokens_in": "Tokens in", "tokens_out": "Tokens out", "cached": "Cached"}
    columns += [
        Column(n, t, "number", lambda v: f"{v:,.0f}")
        for n, t in numbers.items()
        if sums.known(rows, n)
    ]
    ranked_table(
        rows, columns, key="trace-calls", caption="Calls of databases and models, longest first", most=8,
        link=lambda row: address.here(span=row["span_id"]),
    )  # fmt: skip


def _error_table(reading: Reading, near: View) -> None:
    rows = reading.frame.drop_duplicates("group_key")
    counts = Counter(reading.frame["group_key"])
    shown = rows.assign(
        count=[counts[key] for key in rows["group_key"]],
        title=[title or key for title, key in zip(rows["title"], rows["group_key"], strict=True)],
    )
    ranked_table(
        shown,
        (
            Column("title", "Error", hover=lambda row: str(row["title"])),
            Column("culprit", "Where"),
            Column("count", "Times", "number", lambda v: f"{v:.0f}"),
        ),
        key="trace-errors", caption="Errors of this trace", most=8,
        link=lambda row: near.link("errors", group=row["group_key"]),
    )  # fmt: skip


def _log_table(reading: Reading, known: Facts) -> None:
    lines = trace_facts.in_place(reading.frame, known)
    after = (
        pd.to_datetime(lines["event_at"], utc=True) - known.start_at
    ).dt.total_seconds() * 1_000
    rows = lines.assign(
        after=after, level=[(_LEVELS.get(str(s), "unknown"), str(s)) for s in lines["severity"]]
    )

    def opened(row: Row) -> str:
        return address.here(span=str(row["span_id"]))

    ranked_table(
        rows,
        (
            Column("after", "After", "text", lambda v: formats.duration_ms(max(v, 0.0))),
            Column("level", "Severity", "pill"), Column("component", "Component"),
            Column("body", "Line", hover=lambda row: str(row["body"])),
        ),
        key="trace-logs", caption="Log lines of this trace, in order", link=opened, most=20,
    )  # fmt: skip


_LEVELS: dict[str, markup.State] = {
    "error": "critical",
    "fatal": "critical",
    "warning": "warning",
    "warn": "warning",
}
