"""What a trace says: where its time went, its calls, its errors, as rows and sentences.

Here: pure functions from spans to facts. Not here: order and critical path (`charts.span_rows`), drawing
(`one_trace`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from dagster_project.reporting.charts import span_rows
from ingestion.meaning.names import attributes
from streamlit_app.components import formats

FAILED = frozenset({"ERROR", "2", "STATUS_CODE_ERROR"})
_CALL_NUMBERS = {
    "tokens_in": "ai_input_tokens",
    "tokens_out": "ai_output_tokens",
    "cached": "ai_cached_tokens",
}


@dataclass(frozen=True)
class Facts:
    """A trace: its spans in the order of a waterfall (`span_rows`, with `is_failed`), and their sums.

    `start_at` is UTC, `length_ms` from the first begin to the last end, `gap_ms` how long nothing was
    measured on the critical path.
    """

    rows: pd.DataFrame
    start_at: datetime
    length_ms: float
    gap_ms: float

    @property
    def root(self) -> Mapping[str, Any]:
        """The span that the trace begins with."""
        return self.rows.iloc[0].to_dict()

    @property
    def end_at(self) -> datetime:
        """UTC, of the last end."""
        return self.start_at + timedelta(milliseconds=self.length_ms)

    @property
    def failed(self) -> int:
        """Spans that failed."""
        return sum(map(bool, self.rows["is_failed"]))

    @property
    def lost(self) -> int:
        """Spans whose parent was not kept."""
        return sum(map(bool, self.rows["is_lost"]))


def facts(spans: pd.DataFrame) -> Facts:
    """Of at least one span."""
    rows = span_rows(spans)
    failed = rows["status_code"].astype(str).str.upper().isin(list(FAILED))
    begin = pd.to_datetime(spans["start_at"], utc=True).min().to_pydatetime()
    gaps = float(rows.loc[rows["is_critical"], "gap_ms"].sum())
    return Facts(rows.assign(is_failed=failed), begin, max(map(float, rows["end_ms"])), gaps)


def sentence(known: Facts) -> str:
    """How long it took, and where most of that went."""
    took = f"{known.root['name']} took {formats.duration_ms(known.length_ms)}"
    own = own_time(known.rows)
    if len(own) < 2 or not known.length_ms:
        return f"{took}."
    place = own.index[0]
    most, share = float(own.iloc[0]), 100 * float(own.iloc[0]) / known.length_ms
    name, component = known.rows.at[place, "name"], known.rows.at[place, "component"]
    return f"{took}, {formats.duration_ms(most)} of it ({formats.percent(share)}) in {name} of {component}."


def own_time(rows: pd.DataFrame) -> pd.Series:
    """Milliseconds that each span of the critical path spent itself, the most first.

    What its children on that path took is theirs.
    """
    critical = pd.DataFrame(rows[rows["is_critical"]])
    below: dict[Any, float] = {}
    for parent, length in zip(critical["parent_span_id"], critical["length_ms"], strict=True):
        below[parent] = below.get(parent, 0.0) + float(length)
    spans = zip(critical["span_id"], critical["length_ms"], strict=True)
    own = [max(float(length) - below.get(span, 0.0), 0.0) for span, length in spans]
    return pd.Series(own, index=critical.index, dtype=float).sort_values(ascending=False)


def value(known: Any, meaning: str) -> str | None:
    """What attributes of a span say of a meaning (`names.yaml`), by whichever name; None when nothing."""
    if not isinstance(known, Mapping):
        return None
    found = (known.get(name) for name in attributes(meaning))
    return next((str(v) for v in found if v not in {None, ""}), None)


def calls(known: Facts) -> pd.DataFrame:
    """Calls of models and databases, longest first.

    kind, asked, component, length_ms, is_failed, tokens_in, tokens_out, cached, span_id.
    `asked` is the model, or the statement.
    """
    found = [row for span in known.rows.to_dict("records") if (row := _call(span))]
    columns = ["kind", "asked", "component", "length_ms", "is_failed", *_CALL_NUMBERS, "span_id"]
    rows = pd.DataFrame(found, columns=columns)
    return rows.sort_values("length_ms", ascending=False, kind="stable", ignore_index=True)


def _call(span: Mapping[Any, Any]) -> dict[str, Any] | None:
    told = span["attributes"]
    model, system = value(told, "ai_model"), value(told, "db_system")
    if model is None and system is None:
        return None
    operation = value(told, "db_operation") or span["name"]
    asked = model or value(told, "db_statement") or f"{system} {operation}"
    numbers = {n: pd.to_numeric(value(told, m), errors="coerce") for n, m in _CALL_NUMBERS.items()}
    same = {name: span[name] for name in ("component", "length_ms", "is_failed", "span_id")}
    return {"kind": "AI call" if model else "Database", "asked": asked, **same, **numbers}


def in_place(logs: pd.DataFrame, known: Facts) -> pd.DataFrame:
    """Log lines with `at`, and under the trace's first span those of spans that were not kept."""
    if logs.empty:
        return logs.assign(at=None)
    spans = set(known.rows["span_id"])
    under = [span if span in spans else known.root["span_id"] for span in logs["span_id"]]
    return logs.assign(at=logs["event_at"], span_id=under)
