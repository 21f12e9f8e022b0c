"""Single requests, AI calls and database operations as a table of which each row opens its trace.

Here: rows of exemplars or of the tail to the columns people see. Not here: which calls these are
(`readings`), the trace (`one_trace`).
"""

from typing import Any

import pandas as pd

from streamlit_app.components import formats
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.view import View

REQUEST, AI_CALL, DB = "request", "ai_call", "db"
NAMES = {REQUEST: "Route", AI_CALL: "Model", DB: "Statement"}
Row = dict[str, Any]
_WITH_VERB = {REQUEST, "requests"}
_SHORT_ID = 8


def call_table(
    rows: pd.DataFrame, kind: str, view: View, *, key: str, back: str, most: int = 8, **details: str
) -> pd.DataFrame:
    """Draw rows of `traces.exemplars` (in their order); a row leads to its trace, and from there `back`.

    `details` of the page are carried along, so that the way back shows the same. Returns what was drawn.
    """

    def opened(row: Row) -> str | None:
        trace = row["trace_id"]
        return view.link("traces", trace=trace, back=back, **details) if trace else None

    shown = call_rows(rows, view)
    caption = f"Calls by {NAMES[kind].lower()}"
    ranked_table(shown, _columns(kind, shown), key=key, caption=caption, most=most, link=opened)
    return shown


def call_rows(rows: pd.DataFrame, view: View) -> pd.DataFrame:
    """The columns people see: when, what, outcome as symbol and word, duration, tokens, trace."""
    times = [at.to_pydatetime() for at in pd.to_datetime(rows["event_at"], utc=True)]
    now = pd.Timestamp.now(tz="UTC").to_pydatetime()
    traces = [_text(t) for t in rows["trace_id"]]
    verbs = [
        _text(verb) if kind in _WITH_VERB else ""
        for kind, verb in zip(rows["kind"], rows["verb"], strict=True)
    ]
    names = zip(verbs, rows["name"], strict=True)
    return pd.DataFrame(
        {
            "seen": [f"{formats.age(formats.seconds_since(at, now))} ago" for at in times],
            "at": [f"{view.local(at):%d %b %H:%M:%S.%f}"[:-3] for at in times],
            "name": [f"{verb} {name}".strip() for verb, name in names],
            "component": rows["component"],
            "version": [_text(v) or None for v in rows["version"]],
            "outcome": [_outcome(row) for row in rows.to_dict("records")],
            "duration_ms": rows["duration_ms"].astype(float),
            "is_failed": rows["is_failed"].astype(bool),
            "input_tokens": pd.to_numeric(rows["input_tokens"], errors="coerce"),
            "output_tokens": pd.to_numeric(rows["output_tokens"], errors="coerce"),
            "trace": [t[:_SHORT_ID] or None for t in traces],
            "trace_id": traces,
        }
    )  # fmt: skip


def _columns(kind: str, rows: pd.DataFrame) -> list[Column]:
    columns = [
        Column(
            "seen", "Started", hover=lambda row: f"{row['at']}, trace {row['trace_id'] or 'none'}"
        ),
        Column("name", NAMES[kind], hover=lambda row: str(row["name"])),
        Column("component", "Component"),
    ]
    columns += [Column("version", "Version")] if any(rows["version"].notna()) else []
    columns += [
        Column("outcome", "Outcome", "pill"),
        Column("duration_ms", "Duration", "bar", formats.duration_ms),
    ]
    if kind == AI_CALL:
        columns += [
            Column("input_tokens", "Tokens in", "number", lambda v: f"{v:,.0f}"),
            Column("output_tokens", "Tokens out", "number", lambda v: f"{v:,.0f}"),
        ]
        return columns
    return [*columns, Column("trace", "Trace", note="Its id begins so; a dash: it had none.")]


def _outcome(row: Row) -> tuple[str, str]:
    """State and words: what failed says with what."""
    status = _text(row.get("status")).removesuffix(".0")
    if row["is_failed"]:
        return "critical", " ".join(filter(None, ["failed", status, _text(row["error_type"])]))
    return "ok", status or "ok"


def _text(value: Any) -> str:
    """Text of what may be nothing."""
    return "" if value is None or pd.isna(value) else str(value)
