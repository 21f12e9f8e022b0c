"""Column types of the tables: units in headers, fixed decimals, right-aligned numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from streamlit_app.components import formats

_COLUMNS: dict[str, tuple[str, str]] = {
    "request_per_s": ("Requests /s", "%.2f"),
    "error_pct": ("Errors %", "%.1f"),
    "p50_ms": ("p50 ms", "%.0f"),
    "p95_ms": ("p95 ms", "%.0f"),
    "p99_ms": ("p99 ms", "%.0f"),
    "ms_max": ("Max ms", "%.0f"),
    "request_count": ("Requests", "%d"),
    "error_count": ("Errors", "%d"),
    "call_count": ("Calls", "%d"),
    "operation_count": ("Operations", "%d"),
    "first_chunk_ms": ("First chunk ms", "%.0f"),
    "input_tokens": ("Tokens in", "%d"),
    "output_tokens": ("Tokens out", "%d"),
    "cached_tokens": ("Cached", "%d"),
    "output_tokens_per_s": ("Tokens /s", "%.1f"),
    "returned_rows": ("Rows", "%d"),
    "connections": ("Connections", "%d"),
    "median_duration_ms": ("Median ms", "%.0f"),
    "messages_received": ("Messages in", "%d"),
    "messages_sent": ("Messages out", "%d"),
    "bytes_received": ("Bytes in", "%d"),
    "bytes_sent": ("Bytes out", "%d"),
    "abnormal_closes": ("Abnormal closes", "%d"),
    "cpu_seconds": ("CPU s", "%.1f"),
    "cpu_utilization_pct": ("CPU %", "%.1f"),
    "memory_mb": ("Memory MB", "%.0f"),
    "cpu_ms_per_request": ("CPU ms / request", "%.1f"),
}
_TEXTS = {
    "component": "Component",
    "route": "Route",
    "method": "Method",
    "model": "Model",
    "provider": "Provider",
    "system": "System",
    "operation": "Operation",
    "collection": "Collection",
    "state": "State",
    "version": "Version",
    "seen": "Seen",
}


def opened(table: pd.DataFrame | Styler, ids: Sequence[str], *, key: str, **how: Any) -> str | None:
    """A table of which a row can be opened; the id of the one that was clicked, once.

    Rows move between two refreshes: what was clicked is looked up among the rows that were shown.
    """
    shown_key, times_key = f"{key} shown", f"{key} opened"
    before = st.session_state.get(shown_key, ())
    times = st.session_state.get(times_key, 0)
    chosen = st.dataframe(
        table,
        # A table with the same name keeps its selection, which would open the row again and again.
        key=f"{key} {times}",
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        placeholder=formats.NOT_MEASURED,
        **how,
    )
    st.session_state[shown_key] = tuple(ids)
    rows = chosen["selection"]["rows"]  # type: ignore[index]
    if not rows or rows[0] >= len(before):
        return None
    st.session_state[times_key] = times + 1
    return before[rows[0]]


def shown(table: pd.DataFrame) -> Styler:
    """The table with numbers as people read them."""
    forms = {
        name: _formatter(form) for name, (_, form) in _COLUMNS.items() if name in table.columns
    }
    return table.style.format(forms, na_rep="")  # type: ignore[arg-type]


def _formatter(form: str) -> Callable[[float], str]:
    digits = int(form[2]) if form.startswith("%.") else 0
    return lambda value: f"{value:,.{digits}f}"


def column_config(names: list[str]) -> dict[str, Any]:
    """Streamlit column configuration for the columns we know."""
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(label)
        for name, (label, _) in _COLUMNS.items()
        if name in names
    }
    config |= {
        name: st.column_config.TextColumn(label) for name, label in _TEXTS.items() if name in names
    }
    if "state" in names:
        # The reason stands beside the state: a column as wide as "ok" would cut it.
        config["state"] = st.column_config.TextColumn("State", width="medium")
    if "requests_by_minute" in names:
        config["requests_by_minute"] = st.column_config.LineChartColumn(
            "Last hour", width="small", y_min=0
        )
    return config
