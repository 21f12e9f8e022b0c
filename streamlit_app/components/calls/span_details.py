"""One span of a trace: what it says of itself, its events, and where its component and release lead.

Here: drawing. Not here: its place among the others (`components/waterfall`).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from streamlit_app.components import address, formats, markup, panels
from streamlit_app.components.calls import trace_facts
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.view import View

Span = Mapping[Any, Any]
_HOSTS = ("host.name", "server.address", "net.host.name")


def host(span: Span) -> str | None:
    """The host or instance that a span ran on; None when it does not say."""
    told = span.get("attributes")
    named = [told.get(name) if isinstance(told, Mapping) else None for name in _HOSTS]
    named.insert(1, span.get("instance"))
    found = [value for value in named if isinstance(value, str) and value]
    return found[0] if found else None


def events(told: Any) -> list[dict[str, Any]]:
    """Events of a span; an empty list, whatever nothing is called."""
    return [dict(event) for event in told] if isinstance(told, list | tuple) else []


def span_details(span: Span, near: View) -> None:
    """Draw it; `near` is the time around the trace, which links take along."""
    with panels.heading(str(span["name"])):
        st.html(markup.link("Close", address.here(span=None)), width="content")
    st.html(f'<p style="margin:0">{_facts(span, near)}</p>')
    told = span["attributes"] if isinstance(span["attributes"], Mapping) else {}
    if told:
        rows = pd.DataFrame(sorted(told.items()), columns=pd.Index(["name", "value"]))
        columns = (
            Column("name", "Attribute", hover=lambda row: str(row["name"])),
            Column("value", "Value", hover=lambda row: str(row["value"])),
        )
        ranked_table(rows, columns, key="attributes", caption="Attributes of the span", most=14)
    for event in events(span["events"]):
        _event(event, span)


def _facts(span: Span, near: View) -> str:
    component, version = str(span["component"]), span["version"]
    parts = [
        markup.pill("critical", "failed") if span["is_failed"] else markup.pill("ok"),
        markup.text(formats.duration_ms(float(span["length_ms"]))),
        markup.link(component, near.link("performance", component=component)),
    ]
    if isinstance(version, str) and version:
        to = near.link("performance", component=component, version=version)
        parts.append(markup.link(f"release {version}", to))
    model = trace_facts.value(span["attributes"], "ai_model")
    if model:
        parts.append(markup.link(f"model {model}", near.link("ai_models", model=model)))
    statement = trace_facts.value(span["attributes"], "db_statement")
    if statement:
        parts.append(markup.link("statement", near.link("databases", statement=statement)))
    parts += [
        markup.text(word)
        for word in (host(span), span.get("status_message"))
        if isinstance(word, str)
    ]
    return " · ".join(part for part in parts if part)


def _event(event: Mapping[str, Any], span: Span) -> None:
    begin = pd.to_datetime(span["start_at"], utc=True)
    after = (pd.to_datetime(event["event_at"], utc=True) - begin).total_seconds() * 1_000
    told = event["attributes"] or {}
    words = ", ".join(f"{name} = {value}" for name, value in sorted(dict(told).items()))
    bad = "exception" in str(event["name"])
    state = markup.pill("critical" if bad else "info", str(event["name"]))
    st.html(
        f'<p style="margin:0.3rem 0 0">{state} after {formats.duration_ms(max(after, 0.0))} '
        f'<span class="tta-quiet">{markup.text(words)}</span></p>'
    )
