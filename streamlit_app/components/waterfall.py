"""One trace as a waterfall that a keyboard can walk: spans, events, logs and errors in their place.

Here: the drawing, each span a link that chooses it. Not here: order, critical path and gaps
(`dagster_project/reporting/charts/span_tree`), reading a trace, what the page says of the chosen span.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd
import streamlit as st

from dagster_project.reporting.charts import span_rows
from dagster_project.reporting.charts.look import colour_of
from ingestion.meaning.names import attributes
from streamlit_app.components import address, formats, markup
from streamlit_app.components.header.style import look

Span = Mapping[str, Any]
_TICKS = 5
_MOST_SIGNS = 40
_WORST = ("error", "fatal")
_FAILED = {"ERROR", "2", "STATUS_CODE_ERROR"}
# What a span says of itself in one line below its bar, by what attributes mean (`names.yaml`).
_TOLD = {
    "db_system": "{}", "db_operation": "{}", "db_collection": "on {}", "ai_model": "model {}",
    "ai_input_tokens": "{} tokens in", "ai_output_tokens": "{} tokens out", "ai_cached_tokens": "{} cached",
}  # fmt: skip
_TOLD_AS_IS = {
    "gen_ai.response.finish_reasons": "ended by {}", "http.response.status_code": "status {}",
    "http.status_code": "status {}", "error.type": "{}",
}  # fmt: skip


def waterfall(
    spans: pd.DataFrame, logs: pd.DataFrame | None = None, *, chosen: str = ""
) -> pd.DataFrame:
    """Draw spans (`charts.span_rows`, and component, name, status_code, attributes, events) and logs.

    Logs have `at`, `severity`, `body`, `span_id`. A span is a link that sets `span` in the address.
    Returns the rows as drawn.
    """
    rows = span_rows(spans)
    length = _length(rows)
    signs = _signs(rows, logs)
    names = sorted(rows["component"].unique())
    body = "".join(
        _span(
            row,
            length,
            names,
            signs.get(str(row["span_id"]), ()),
            is_chosen=row["span_id"] == chosen,
        )
        for row in rows.to_dict("records")
    )
    st.html(
        f'{_legend(names)}<div class="tta-scroll" tabindex="0" role="region" aria-label="Waterfall">'
        f'<div class="tta-fall">{_axis(length)}<ol>{body}</ol></div></div>'
    )
    return rows


def _axis(length: float) -> str:
    ticks = "".join(
        f'<span style="left:{100 * place / (_TICKS - 1):.1f}%">'
        f"{markup.text(formats.duration_ms(length * place / (_TICKS - 1)))}</span>"
        for place in range(_TICKS)
    )
    return f'<div class="tta-axis" aria-hidden="true"><em></em><div>{ticks}</div><em></em></div>'


def _legend(names: Sequence[str]) -> str:
    return markup.legend(names, [colour_of(name, names, look()) for name in names])


def _span(
    row: Span, length: float, names: Sequence[str], signs: Sequence[str], *, is_chosen: bool
) -> str:
    is_failed = str(row.get("status_code")).upper() in _FAILED
    start, took = float(row["start_ms"]), float(row["length_ms"])
    said = _said(row, is_failed=is_failed)
    kind = " tta-main" if row["is_critical"] else ""
    kind += " tta-failed" if is_failed else ""
    colour = colour_of(str(row["component"]), names, look())
    bar = (
        f'<i class="{kind.strip()}" style="left:{100 * start / length:.3f}%;'
        f'width:{100 * took / length:.3f}%;--tta-series:{colour}"></i>'
    )
    link = markup.link(str(row["name"]), address.here(span=str(row["span_id"])), title=said)
    chosen = ' aria-current="true"' if is_chosen else ""
    symbol = markup.symbol("error") if is_failed else ""
    lost = markup.symbol("link_off") if row["is_lost"] else ""
    return (
        f'<li class="tta-span{" tta-chosen" if is_chosen else ""}"{chosen}>'
        f'<div class="tta-name" style="padding-left:{0.8 * min(int(row["depth"]), 12):.1f}rem">'
        f"{symbol}{lost}{link}{_more(row)}</div>"
        f'<div class="tta-lane">{_gap(row, length)}{bar}{"".join(signs)}</div>'
        f'<div class="tta-took">{markup.text(formats.duration_ms(took))}</div></li>'
    )


def _said(row: Span, *, is_failed: bool) -> str:
    """What a pointer or a reader of the screen is told of a span."""
    parts = [
        str(row["component"]), str(row["name"]), formats.duration_ms(float(row["length_ms"])),
        f"begins at {formats.duration_ms(float(row['start_ms']))}",
    ]  # fmt: skip
    parts += ["failed"] if is_failed else []
    parts += ["on the critical path"] if row["is_critical"] else []
    parts += ["its parent was not kept"] if row["is_lost"] else []
    return ", ".join(parts)


def _gap(row: Span, length: float) -> str:
    """Dots where the critical path waited for nothing that was measured."""
    gap = float(row["gap_ms"])
    if gap < length / 200:
        return ""
    left = 100 * (float(row["start_ms"]) - gap) / length
    title = f"{formats.duration_ms(gap)} before it without a span"
    return f'<u style="left:{left:.3f}%;width:{100 * gap / length:.3f}%" title="{markup.text(title)}"></u>'


def _more(row: Span) -> str:
    known = row.get("attributes")
    if not isinstance(known, Mapping):
        return ""
    told = [(form, _first(known, attributes(meaning))) for meaning, form in _TOLD.items()]
    told += [(form, known.get(name)) for name, form in _TOLD_AS_IS.items()]
    words = [form.format(value) for form, value in told if value not in {None, ""}]
    return f' <span class="tta-more">{markup.text(" · ".join(words))}</span>' if words else ""


def _first(known: Span, names: Sequence[str]) -> Any:
    return next((known[name] for name in names if known.get(name) not in {None, ""}), None)


def _signs(rows: pd.DataFrame, logs: pd.DataFrame | None) -> dict[str, list[str]]:
    """Marks on the lanes by span: events of the span, and logs."""
    begin = min(_moment(at) for at in rows["start_at"])
    length = _length(rows)
    found: dict[str, list[str]] = {}
    for row in rows.to_dict("records"):
        events = row.get("events")
        for event in list(events)[:_MOST_SIGNS] if isinstance(events, Sequence) else []:
            is_bad = "exception" in str(event.get("name", ""))
            sign = _sign(
                _ms_after(begin, event.get("at")), length, str(event.get("name", "")), is_bad=is_bad
            )
            found.setdefault(str(row["span_id"]), []).append(sign)
    for log in logs.to_dict("records")[: _MOST_SIGNS * 5] if logs is not None else []:
        is_bad = str(log.get("severity", "")).lower() in _WORST
        words = f"{log.get('severity', '')}: {log.get('body', '')}"
        sign = _sign(_ms_after(begin, log.get("at")), length, words, is_bad=is_bad)
        found.setdefault(str(log.get("span_id")), []).append(sign)
    return found


def _length(rows: pd.DataFrame) -> float:
    """Milliseconds of the trace, never zero."""
    return max([float(end) for end in rows["end_ms"]], default=0.0) or 0.001


def _moment(at: Any) -> pd.Timestamp:
    """UTC of microseconds or of a time."""
    is_number = isinstance(at, int | float) or hasattr(at, "item")
    moment = pd.Timestamp(int(at), unit="us", tz="UTC") if is_number else pd.Timestamp(at)
    return cast(pd.Timestamp, moment if moment.tzinfo else moment.tz_localize("UTC"))


def _ms_after(begin: pd.Timestamp, at: Any) -> float:
    return (_moment(at) - begin).total_seconds() * 1_000


def _sign(at_ms: float, length: float, words: str, *, is_bad: bool) -> str:
    place = min(max(100 * at_ms / length, 0.0), 100.0)
    kind = ' class="tta-bad"' if is_bad else ""
    sign = "✖" if is_bad else "◆"
    told = markup.text(f"{formats.duration_ms(max(at_ms, 0.0))}: {words}")
    return f'<b{kind} style="left:{place:.3f}%" title="{told}" role="img" aria-label="{told}">{sign}</b>'
