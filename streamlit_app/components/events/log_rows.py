"""Log lines and patterns as rows: severity as a pill, the trend of each pattern, links to traces.

Here: from readings of `readings/logs` to frames that a table draws. Pure, but for colours. Not here: the
page (`views/logs`).
"""

from typing import Any

import pandas as pd

from dagster_project.reporting.charts import Look
from streamlit_app.components import markup
from streamlit_app.components.ranked_table import Column
from streamlit_app.view import View

SEVERITIES = ("fatal", "error", "warning", "info", "debug", "trace")
"""From the worst on."""
SHOWN = ("error", "warning", "info", "other")
"""What a chart tells apart."""
_SHOWN_AS = {"fatal": "error", "error": "error", "warning": "warning", "info": "info"}
_STATES: dict[str, markup.State] = {
    "fatal": "critical",
    "error": "critical",
    "warning": "warning",
    "info": "info",
}
_KEYS = ["component", "severity", "pattern_key"]

PATTERNS = (
    Column("short", "Pattern", hover=lambda row: row["pattern"]),
    Column("state", "Severity", "pill"),
    Column("component", "Component"),
    Column("line_count", "Lines", "bar", lambda v: f"{v:,.0f}"),
    Column("trend", "Trend", "spark"),
    Column("last", "Last"),
)
LINES = (
    Column("time", "Time"),
    Column("state", "Severity", "pill"),
    Column("component", "Component"),
    Column("line", "Line", "html"),
    Column("trace", "Trace", "html"),
)
_LONGEST = 110


def pattern_rows(
    patterns: pd.DataFrame, counts: pd.DataFrame, view: View, step_s: int
) -> pd.DataFrame:
    """Rows for `PATTERNS`: what was read, with `state`, `trend`, `short` and `last` to look at."""
    trends = trends_of(counts, view, step_s)
    keys = list(patterns[_KEYS].itertuples(index=False, name=None))
    return patterns.assign(
        short=[_shortened(text) for text in patterns["pattern"]],
        state=[pill(severity) for severity in patterns["severity"]],
        trend=[trends.get(key, []) for key in keys],
        last=[f"{view.local(at.to_pydatetime()):%d %b %H:%M:%S}" for at in patterns["last_at"]],
    )


def trends_of(counts: pd.DataFrame, view: View, step_s: int) -> dict[tuple[Any, ...], list[float]]:
    """Lines by bucket over the whole range, by component, severity and pattern; no line is a zero."""
    if counts.empty:
        return {}
    first = pd.Timestamp(view.start_at).floor(f"{step_s}s")
    buckets = pd.date_range(first, view.end_at, freq=f"{step_s}s", inclusive="left")
    at = pd.to_datetime(counts["bucket_at"], utc=True)
    wide = counts.assign(bucket_at=at).pivot_table(
        index="bucket_at", columns=_KEYS, values="line_count", aggfunc="sum"
    )
    filled = wide.reindex(buckets, fill_value=0).fillna(0)
    return {tuple(key): [float(n) for n in filled[key]] for key in filled.columns}


def colour(name: str, chosen: Look) -> str:
    """The colour of one of `SHOWN`."""
    told = {"error": chosen.critical, "warning": chosen.warning, "info": chosen.series[0]}
    return told.get(name, chosen.unknown)


def over_time(counts: pd.DataFrame) -> pd.DataFrame:
    """bucket_at, severity (one of `SHOWN`), line_count of all patterns together."""
    shown = [_SHOWN_AS.get(severity, "other") for severity in counts["severity"]]
    summed = (
        counts.assign(severity=shown)
        .groupby(["bucket_at", "severity"], as_index=False)["line_count"]
        .sum()
    )
    return pd.DataFrame(summed)


def line_rows(lines: pd.DataFrame, view: View) -> pd.DataFrame:
    """Rows for `LINES`; `trace` is a link where the line belongs to one."""
    return lines.assign(
        time=[f"{view.local(at.to_pydatetime()):%d %b %H:%M:%S.%f}"[:-3] for at in lines["event_at"]],
        state=[pill(severity) for severity in lines["severity"]],
        line=[f'<span class="tta-line">{markup.text(body)}</span>' for body in lines["body"]],
        trace=[_trace(row, view) for row in lines.to_dict("records")],
    )  # fmt: skip


def pill(severity: str) -> tuple[markup.State, str]:
    """State and word of a severity."""
    return _STATES.get(severity, "unknown"), severity


def _trace(row: dict[str, Any], view: View) -> str | None:
    trace, span = row.get("trace_id"), row.get("span_id")
    if not isinstance(trace, str) or not trace:
        return None
    address = view.link("traces", trace=trace, span=span if isinstance(span, str) else None)
    return markup.link(f"{trace[:8]}", address, title=f"Trace {trace}")


def _shortened(pattern: str) -> str:
    return pattern if len(pattern) <= _LONGEST else f"{pattern[: _LONGEST - 1]}…"
