"""The tail as rows of one height: what happened, how it went, where it leads.

Here: from `readings/tail.newest` to HTML whose rows keep their place while newer ones come (`static/app.js`).
Not here: the page (`views/live`).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from streamlit_app.components import formats, markup
from streamlit_app.view import View

Event = dict[str, Any]
KINDS: Mapping[str, str] = {"requests": "Requests", "errors": "Errors", "ai_calls": "AI calls"}
_SYMBOLS = {"requests": "swap_horiz", "errors": "error", "ai_calls": "neurology"}
_NAMES = {"requests": "request", "errors": "error", "ai_calls": "AI call"}
_TITLES = ("Time", "What", "Outcome", "Took", "Component", "Trace")
_CAPTION = "Events, newest first"


def listing(events: pd.DataFrame, view: View) -> str:
    """HTML of all rows; the same events make the same HTML, whenever it is asked for."""
    head = "".join(f'<th scope="col">{title}</th>' for title in _TITLES)
    rows = events.astype(object).where(events.notna(), None).to_dict("records")
    body = "".join(_row(row, view) for row in rows)
    return (
        f'<table class="tta-table tta-tail"><caption class="tta-hidden">{_CAPTION}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def inside(events: pd.DataFrame, view: View) -> pd.DataFrame:
    """What lies in the range: of one that ends now also what came since it was asked for."""
    if events.empty:
        return events
    at = events["event_at"]
    is_inside = at >= view.start_at
    return pd.DataFrame(events[is_inside if view.ends_now else is_inside & (at < view.end_at)])


def _row(event: Event, view: View) -> str:
    failed = " tta-failed" if event["is_failed"] else ""
    name = (
        f"{event['event_at'].value}-{event['span_id'] or event['trace_id'] or event['component']}"
    )
    cells = (
        markup.text(f"{view.local(event['event_at'].to_pydatetime()):%H:%M:%S.%f}"[:-3]),
        f"{_kind(event)} {_what(event, view)}",
        _outcome(event),
        formats.duration_ms(event["duration_ms"]),
        markup.text(event["component"]),
        _trace(event, view),
    )
    drawn = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr data-row="{markup.text(name)}" class="tta-event{failed}">{drawn}</tr>'


def _kind(event: Event) -> str:
    name = _NAMES[event["kind"]]
    symbol = markup.symbol(_SYMBOLS[event["kind"]])
    return f'<span title="{name}">{symbol}<span class="tta-hidden">{name} </span></span>'


def _what(event: Event, view: View) -> str:
    if event["kind"] == "errors":
        address = view.link("errors", group=event["group_key"])
        return markup.link(event["title"] or "error", address, title=event["title"] or "")
    if event["kind"] == "ai_calls":
        return markup.link(
            event["model"] or "unknown", view.link("ai_models", model=event["model"])
        )
    words = f"{event['method'] or ''} {event['route'] or ''}".strip()
    return markup.link(words or "request", view.link("performance", route=event["route"]))


def _outcome(event: Event) -> str:
    if event["is_failed"]:
        words = event["error_type"] or event["status"] or "failed"
        return markup.pill("critical", str(words))
    if event["kind"] == "ai_calls":
        tokens = (event["input_tokens"], event["output_tokens"])
        known = [formats.NOT_MEASURED if n is None else f"{n:,.0f}" for n in tokens]
        return markup.text(f"{known[0]} in, {known[1]} out")
    status = event["status"]
    return formats.NOT_MEASURED if status is None else f"{status:.0f}"


def _trace(event: Event, view: View) -> str:
    trace = event["trace_id"]
    if not trace:
        return formats.NOT_MEASURED
    return markup.link(
        trace[:8], view.link("traces", trace=trace, span=event["span_id"]), title=trace
    )
