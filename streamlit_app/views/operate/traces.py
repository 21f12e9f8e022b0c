"""Traces: the slow, the failed and the recent, and one trace with all that is known of it."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from streamlit_app.components import address, frame
from streamlit_app.components.calls import call_table, not_kept
from streamlit_app.components.calls.choice import choice
from streamlit_app.components.calls.known_names import released
from streamlit_app.components.calls.one_trace import one_trace
from streamlit_app.components.panels import Panel, asked, panel
from streamlit_app.readings import traces
from streamlit_app.readings.arriving import tail
from streamlit_app.readings.source import Reading
from streamlit_app.sign_in import permission
from streamlit_app.view import View

_HELP = """
A trace is one request through all components. Listed are the slowest and the failed of each route, model
and statement, which are kept with their traces, or the most recent. Paste any trace id into the search to
open it.
"""
_KINDS = {call_table.REQUEST: "Requests", call_table.AI_CALL: "AI calls", call_table.DB: "Database"}
_ORDERS = {"slow": "Slowest", "failed": "Failed", "recent": "Recent"}
_TAIL = {call_table.REQUEST: "requests", call_table.AI_CALL: "ai_calls"}
_BACK = {
    "performance": "Performance", "ai_models": "AI models", "databases": "Databases", "errors": "Errors",
    "logs": "Logs", "live": "Live", "alerts": "Alerts",
}  # fmt: skip
_NOTE = """
Of each route, model and statement and each minute the slowest three and three that failed are kept, in the
published copy of each ten minutes. *Recent* are the newest of the live window.
"""
_SLOW_S = 5


def main() -> None:
    """Draw the list, or the trace that the address names."""
    permission.page("traces")
    given = st.query_params.get("trace", "").strip()
    if given:
        _one(given)
        return
    shown = frame.page(
        "traces", "Traces", filters=("component", "environment", "version", "route", "model"),
        known=released, help=_HELP,
    )  # fmt: skip
    frame.live(_list, shown, least_s=_SLOW_S)


def _list(shown: View) -> None:
    with st.container(horizontal=True, gap="medium"):
        kind = choice("kind", _KINDS, shown)
        order = choice("order", _ORDERS, shown)
    about = Panel(
        f"{_ORDERS[order]}: {_KINDS[kind].lower()}",
        f"traces-{kind}-{order}",
        _KINDS[kind].lower(),
        _NOTE,
    )
    name = "tail" if order == "recent" else "exemplars"
    reading = asked(name, lambda view: _asked(view, kind, order), shown)
    panel(about, shown, reading, lambda r: _table(r, kind, shown))


def _table(reading: Reading, kind: str, shown: View) -> None:
    call_table.call_table(reading.frame, kind, shown, key="traces", back="", most=25)


def _asked(view: View, kind: str, order: str) -> Reading:
    """Rows as `traces.exemplars` has them, in the chosen order."""
    subject = {call_table.REQUEST: view.route, call_table.AI_CALL: view.model}.get(kind)
    if order == "recent" and kind in _TAIL:
        return _recent(tail.newest(view, _TAIL[kind]))
    found = traces.exemplars(view, kind, subject, limit=200)
    if found.frame.empty:
        return found
    rows = found.frame
    if order == "failed":
        rows = pd.DataFrame(rows[rows["is_failed"].astype(bool)])
    column = "duration_ms" if order == "slow" else "event_at"
    return found.with_frame(rows.sort_values(column, ascending=False, kind="stable"))


def _recent(newest: Reading) -> Reading:
    """The tail's rows under the names that exemplars have."""
    if newest.frame.empty:
        return newest
    rows = newest.frame.assign(
        name=newest.frame["route"].fillna(newest.frame["model"]), verb=newest.frame["method"]
    )
    return newest.with_frame(
        pd.DataFrame(rows.drop(columns=["route", "model", "method", "title", "group_key"]))
    )


def _one(given: str) -> None:
    trace_id = traces.id_in(given)
    spans = (
        asked("trace", lambda _: traces.spans(trace_id or ""), address.view()) if trace_id else None
    )
    is_known = spans is not None and len(spans.frame) > 0
    name = str(spans.frame.iloc[0]["name"]) if spans is not None and is_known else "not kept"
    shown = frame.page(
        "traces", "Traces", trail=_trail(f"{name} · {given[:8]}"), help=_HELP, has_range=False
    )
    if trace_id is None:
        not_kept.no_id(given, shown)
    elif spans is None:
        panel(Panel("Trace", "trace", "traces"), shown, None, lambda _: None)
    elif not is_known:
        not_kept.not_kept(trace_id, spans, shown)
    else:
        logs = asked("trace_logs", lambda _: traces.logs(trace_id), shown)
        errors = asked("trace_errors", lambda _: traces.errors(trace_id), shown)
        one_trace(spans, logs, errors, shown, chosen=st.query_params.get("span", ""))


def _trail(name: str) -> list[tuple[str, str]]:
    """Back to where somebody came from, to the list, and the trace."""
    shown, kept = address.view(), address.details()
    came = kept.get("back", "")
    there = {k: v for k, v in kept.items() if k not in {"trace", "span", "back"}}
    query = urlencode(shown.params() | there)
    trail = [(f"Back to {_BACK[came]}", f"/{came}?{query}")] if came in _BACK else []
    return [*trail, ("All traces", shown.link("traces")), (name, "")]


main()
