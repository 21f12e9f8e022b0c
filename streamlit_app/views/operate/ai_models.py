"""AI models: which is slowest, what fails, what it costs, and the calls behind each figure."""

from typing import Any

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from streamlit_app.components import address, drawing, formats, frame, markup, panels
from streamlit_app.components.calls import chosen_minute, model_rows, sums
from streamlit_app.components.calls.calls_panel import calls_panel
from streamlit_app.components.calls.choice import choice
from streamlit_app.components.calls.known_names import heard, released
from streamlit_app.components.header.saved_menu import marks
from streamlit_app.components.header.style import look
from streamlit_app.components.panels import Panel, asked, panel
from streamlit_app.components.ranked_table import Column, Row, ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import ai_models, ranges
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_HELP = """
Every call of a model. The line at the top says which is slowest and whether that is more than chance; the
dots show each p95 with its 95 % interval. Click a model for its calls, errors and callers; a call opens its
trace.
"""
_FILL = "Spans with `gen_ai.request.model` fill it."
_AGAINST = Panel(
    "p95 of each model, with its 95 % interval", "ai-intervals", "AI calls",
    "The interval is by order statistics: were all calls of such a kind known, their p95 would lie in it 95"
    " times in 100. Two that do not overlap differ for certain.", _FILL,
)  # fmt: skip
_OVER_TIME = Panel(
    "Over time", "ai-over-time", "AI calls", "One line for each model; the six called most.", _FILL
)
_MODELS = Panel(
    "Models, slowest first", "ai-models", "AI calls",
    "First chunk is the mean time until an answer began; tokens per second count from then on where a call"
    " streams. Cost is tokens times the price of `prices.models` in the configuration.", _FILL,
)  # fmt: skip
_ERRORS = Panel(
    "Errors by type", "ai-errors", "failed AI calls", "Failed calls by `error.type`.",
    "A failed call with `error.type` fills it.",
)  # fmt: skip
_RECOVERIES = Panel(
    "Retries and fallbacks", "ai-recoveries", "retries and fallbacks",
    "Attempts under a retry, and executions under a fallback, as TTA.dev's primitives tell them.",
    "Spans of TTA.dev's retry and fallback primitives fill it.",
)  # fmt: skip
_CALLERS = Panel(
    "By component and operation", "ai-callers", "AI calls", "The same figures by who calls.", _FILL
)
_SHOWN = {"p95": "p95", "calls": "Calls", "errors": "Errors", "tokens": "Tokens out"}
_SLOW_S, _SHORT = 15, 24


_CALLED = (
    Column("call_count", "Calls", "number", formats.whole),
    Column("error_pct", "Errors %", "bar", lambda v: f"{v:.1f}", is_bad=lambda v: v >= 1),
    Column("p50_ms", "p50 ms", "number", formats.plain_ms),
    Column(
        "p95_ms",
        "p95 ms",
        "bar",
        formats.plain_ms,
        hover=lambda row: f"p95{model_rows.interval(row)}",
    ),
    Column("p99_ms", "p99 ms", "number", formats.plain_ms),
)
_TOLD = (
    Column("first_chunk_ms", "Chunk ms", "number", formats.plain_ms),
    Column("input_tokens", "Tokens in", "number", formats.whole),
    Column("output_tokens", "Tokens out", "number", formats.whole),
    Column("cached_tokens", "Cached", "number", formats.whole),
    Column("output_tokens_per_s", "Tokens /s", "number", lambda v: f"{v:,.1f}"),
    Column("cost", "Cost", "number", lambda v: f"{v:,.4f}" if v < 1 else f"{v:,.2f}"),
)


def main() -> None:
    """Draw the page."""
    model = st.query_params.get("model")
    trail = [("All models", address.here(model=None)), (model, "")] if model else []
    shown = frame.page(
        "ai_models", "AI models", filters=("component", "environment", "version", "model"),
        known=_known, trail=trail, help=_HELP,
    )  # fmt: skip
    frame.live(_now, shown)
    frame.live(_below, shown, least_s=_SLOW_S)


def _known(shown: View) -> dict[str, list[str]]:
    return released(shown) | heard("model", "ai_models", ai_models.models, shown)


def _models(shown: View) -> tuple[Reading | None, pd.DataFrame]:
    """All models, whichever is chosen, and how they compare."""
    found = asked("ai_models", ai_models.models, shown.but(model=None))
    if found is None or found.frame.empty:
        return found, pd.DataFrame()
    return found, model_rows.compared(found.frame, st.query_params.get("against"))


def _now(shown: View) -> None:
    found, rows = _models(shown)
    if len(rows):
        st.html(
            f'<p role="status" style="margin:0"><b>{markup.text(model_rows.sentence(rows))}</b></p>'
        )
        chosen = rows[rows["model"] == shown.model] if shown.model else rows
        _figures(pd.DataFrame(chosen), shown)
    left, right = st.columns([3, 2])
    with left:
        panel(
            _OVER_TIME,
            shown,
            asked("ai_calls", ai_models.over_time, shown),
            lambda r: _over_time(r, shown),
        )
    with right:
        panel(_AGAINST, shown, found, lambda _: _intervals(rows))


def _figures(rows: pd.DataFrame, shown: View) -> None:
    seconds = shown.length.total_seconds()
    calls, errors = sums.total(rows, "call_count"), sums.total(rows, "error_count")
    tokens = [sums.total(rows, n) for n in ("input_tokens", "output_tokens", "cached_tokens")]
    cost, chunk = sums.total(rows, "cost"), sums.mean(rows, "first_chunk_ms", "call_count")
    prices = "No model has a price in prices.models of the configuration."
    tiles(
        [
            Tile("Calls", formats.number(sums.rate(rows, "call_count", seconds / 60), "/min")),
            Tile("Errors", formats.percent(sums.share(errors, calls))),
            Tile(
                "First chunk",
                formats.duration_ms(chunk),
                missing="No call says when its answer began.",
            ),
            Tile(
                "Tokens in", formats.number(tokens[0], digits=0), missing="No call reports tokens."
            ),
            Tile(
                "Tokens out", formats.number(tokens[1], digits=0), missing="No call reports tokens."
            ),
            Tile(
                "Cached",
                formats.number(tokens[2], digits=0),
                missing="No call reports cached tokens.",
            ),
            Tile("Cost", _money(cost, rows), missing=prices),
        ]
    )


def _money(cost: float | None, rows: pd.DataFrame) -> str:
    if cost is None:
        return formats.NOT_MEASURED
    return formats.number(cost, str(rows["currency"].iloc[0]), digits=4 if cost < 1 else 2)


def _over_time(reading: Reading, shown: View) -> dict[str, Any]:
    what, step = choice("show", _SHOWN, shown), ranges.step_s(shown)
    rows, unit = _measure(model_rows.by_model(reading.frame), what, step)
    other = panels.compared(ai_models.over_time, shown)
    how: dict[str, Any] = {}
    if other is not None:
        before, _ = _measure(model_rows.by_model(other.frame), what, other.step_s)
        how = {"compare": before, "moved_by": other.moved_by, "compare_step_s": other.step_s}
    return drawing.time_chart(
        rows, "value", "series", unit, shown, key=f"ai-{what}", step_s=step, marks=marks(shown),
        height=200, **how,
    )  # fmt: skip


def _measure(rows: pd.DataFrame, what: str, step_s: int) -> tuple[pd.DataFrame, str]:
    """bucket_at, series and value of what is shown, and its unit."""
    if what == "p95":
        return rows.assign(value=rows["p95_ms"].astype(float)), "ms"
    names = ["call_count", "error_count", "output_tokens"]
    numbers = rows.assign(
        **{n: pd.to_numeric(rows[n], errors="coerce").astype(float) for n in names}
    )
    by_bucket = numbers.groupby(["bucket_at", "series"], as_index=False)
    added: Any = by_bucket[names].sum(min_count=1)
    values, unit = {
        "calls": (60 * added["call_count"] / step_s, "/min"),
        "errors": (100 * added["error_count"] / added["call_count"], "%"),
        "tokens": (added["output_tokens"] / step_s, "/s"),
    }[what]
    return added.assign(value=values), unit


def _intervals(rows: pd.DataFrame) -> dict[str, Any]:
    known = rows[rows["p95_ms"].notna()].head(8)
    against = known.loc[known["is_against"], "label"]
    base = str(against.iloc[0]) if len(against) else None
    made = charts.intervals(
        pd.DataFrame(known[["label", "p95_ms", "p95_low_ms", "p95_high_ms"]]), name="label", value="p95_ms",
        low="p95_low_ms", high="p95_high_ms", unit="ms", look=look(), against=base,
    )  # fmt: skip
    drawn = drawing.chart(made, key="ai-intervals")
    others = [markup.link(str(n), address.here(against=str(n))) if n != base else f"<b>{markup.text(n)}</b>"
              for n in known["label"]]  # fmt: skip
    st.html(f'<p class="tta-quiet" style="margin:0">Compared with {" · ".join(others)}</p>')
    return drawn


def _below(shown: View) -> None:
    found, rows = _models(shown)
    minute = chosen_minute.chosen(shown, ranges.step_s(shown))
    panel(_MODELS, shown, found, lambda _: _model_table(rows))
    chosen_minute.line(minute)
    title = f"Slow and failed calls of {shown.model}" if shown.model else "Slow and failed calls"
    at = st.query_params.get("at", "")
    calls_panel(
        title, "ai_call", shown, back="ai_models", subject=shown.model, minute=minute, at=at
    )
    left, right = st.columns([3, 2])
    with left:
        panel(_ERRORS, shown, asked("ai_errors", ai_models.errors, shown), _errors)
    with right:
        panel(_RECOVERIES, shown, asked("recoveries", ai_models.recoveries, shown), _recoveries)
    panel(_CALLERS, shown, asked("ai_callers", ai_models.callers, shown), _callers)


def _measured(rows: pd.DataFrame) -> list[Column]:
    """Columns that somebody measured; the others are named below the table."""
    there = [c for c in _TOLD if sums.known(rows, c.name)]
    missing = [c.title.lower() for c in _TOLD if c not in there]
    if missing:
        st.caption(f"{formats.NOT_MEASURED} Not reported: {', '.join(missing)}.")
    return there


def _model_table(rows: pd.DataFrame) -> None:
    base = next(iter(rows.loc[rows["is_against"], "label"]), "the other")
    verdict = Column(
        "verdict", f"Against {base}", "pill", note="Whether the 95 % intervals of the p95 overlap"
    )
    told = rows.assign(
        told=[label if len(label) <= _SHORT else f"{label[:_SHORT]}…" for label in rows["label"]]
    )
    name = Column("told", "Model", hover=lambda row: f"{row['model']} of {row['provider']}")
    ranked_table(
        told, [name, *_CALLED, verdict, *_measured(rows)], key="models", caption="Models, slowest first",
        link=lambda row: address.here(model=row["model"]),
    )  # fmt: skip


def _errors(reading: Reading) -> None:
    ranked_table(
        reading.frame,
        (
            Column("error_type", "Error"), Column("model", "Model"), Column("component", "Component"),
            Column("call_count", "Calls", "bar", formats.whole, is_bad=lambda v: v > 0),
        ),
        key="ai-errors", caption="Failed AI calls by type, most first", most=8,
        link=lambda row: address.here(model=row["model"]),
    )  # fmt: skip


def _recoveries(reading: Reading) -> None:
    ranked_table(
        reading.frame,
        (
            Column("component", "Component"), Column("attempt_count", "Attempts", "number", formats.whole),
            Column("retry_count", "Retries", "bar", formats.whole, note="Attempts after the first"),
            Column("failed_attempt_count", "Failed", "number", formats.whole),
            Column("fallback_count", "With fallback", "number", formats.whole),
            Column("used_fallback_count", "Fell back", "number", formats.whole),
        ),
        key="recoveries", caption="Retries and fallbacks, most retries first", most=8,
    )  # fmt: skip


def _callers(reading: Reading) -> None:
    names = [Column("component", "Component"), Column("model", "Model"), Column("provider", "Provider"),
             Column("operation", "Operation")]  # fmt: skip

    def opened(row: Row) -> str:
        return address.here(model=row["model"], component=row["component"])

    ranked_table(
        reading.frame, [*names, *_CALLED, *_measured(reading.frame)], key="callers",
        caption="Callers, most calls first", link=opened, most=8,
    )  # fmt: skip


main()
