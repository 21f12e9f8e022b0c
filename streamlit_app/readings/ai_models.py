"""AI models: calls, errors, latency with its interval, tokens, speed, cost.

Here: one function per question. Not here: single calls (`traces`, `tail`), prices (`ingestion/settings`).
"""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from ingestion.settings.app import PriceSettings
from streamlit_app.readings import ranges, source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_MART = "fct_ai_calls_minutely"
_FILTERS = (*ranges.RELEASED, "model")
_SUMS = {
    "call_count": "sum(call_count)::BIGINT",
    "error_count": "sum(error_count)::BIGINT",
    "input_tokens": "sum(input_tokens)::BIGINT",
    "output_tokens": "sum(output_tokens)::BIGINT",
    "cached_tokens": "sum(cached_tokens)::BIGINT",
    "reasoning_tokens": "sum(reasoning_tokens)::BIGINT",
    "duration_ms_sum": "sum(duration_ms_sum)",
    "first_chunk_ms_sum": "sum(first_chunk_ms_sum)",
    "first_chunk_count": "sum(first_chunk_count)::BIGINT",
    "answered_ms_sum": "sum(answered_ms_sum)",
}
_WITH_INTERVAL = {
    "p50_ms": ranges.P50,
    "p95_ms": ranges.P95,
    "p99_ms": ranges.P99,
    "p95_low_ms": ranges.LOW95,
    "p95_high_ms": ranges.HIGH95,
}
_MODEL = ("model", "provider")


def models(view: View) -> Reading:
    """A row for each model and provider, most calls first.

    call_count, error_count, error_pct, p50_ms, p95_ms, p99_ms, p95_low_ms and p95_high_ms (95 % interval, by
    order statistics; null with too few calls), first_chunk_ms (mean time to the first chunk), input_tokens,
    output_tokens, cached_tokens, reasoning_tokens, output_tokens_per_s, cost and currency (null without a
    price). Null is not reported.
    """
    return _models(view, "ai_models", _MODEL)


def callers(view: View) -> Reading:
    """The same by component, model, provider and operation."""
    return _models(view, "ai_callers", ("component", *_MODEL, "operation"))


def over_time(view: View) -> Reading:
    """bucket_at, component, model, provider, call_count, error_count, quantiles, tokens in and out."""
    if ranges.is_live(view):
        return source.live("ai_calls", step_s=ranges.step_s(view), **ranges.asked(view, *_FILTERS))
    names = {"bucket_at": ranges.bucketed(view), **ranges.same("component", *_MODEL)}
    sums = {n: _SUMS[n] for n in ("call_count", "error_count", "input_tokens", "output_tokens")}
    where = ranges.within(*_FILTERS)
    sql = ranges.with_quantiles(
        _MART, names, sums, where, order="bucket_at, component, model, provider"
    )
    return source.marts(sql, **ranges.bound(view, *_FILTERS))


def errors(view: View) -> Reading:
    """component, model, provider, error_type, call_count of failed calls, most first."""
    if ranges.is_live(view):
        return source.live("ai_errors", **ranges.asked(view, *_FILTERS))
    sql = f"""
        SELECT component, model, provider, entry.key AS error_type, sum(entry.value)::BIGINT AS call_count
        FROM (
            SELECT *, unnest(map_entries(errors_by_type)) AS entry FROM {_MART}
            WHERE {ranges.within(*_FILTERS)}
        ) GROUP BY ALL ORDER BY call_count DESC, component, model, provider, error_type"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS))


def recoveries(view: View) -> Reading:
    """component, attempt_count, retry_count (attempts after the first), failed_attempt_count, fallback_count
    (executions that had one), used_fallback_count, as TTA.dev's primitives tell them."""
    if ranges.is_live(view):
        return source.live("recoveries", **ranges.asked(view, *ranges.RELEASED))
    names = "attempt_count retry_count failed_attempt_count fallback_count used_fallback_count"
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in names.split())
    sql = f"""
        SELECT component, {sums} FROM fct_recoveries_minutely
        WHERE {ranges.within(*ranges.RELEASED)} GROUP BY 1 ORDER BY retry_count DESC, component"""
    return source.marts(sql, **ranges.bound(view, *ranges.RELEASED))


def _models(view: View, name: str, groups: tuple[str, ...]) -> Reading:
    if ranges.is_live(view):
        found = source.live(name, **ranges.asked(view, *_FILTERS))
    else:
        sql = ranges.with_quantiles(
            _MART, ranges.same(*groups), _SUMS, ranges.within(*_FILTERS),
            order="call_count DESC, model, provider", quantiles=_WITH_INTERVAL,
        )  # fmt: skip
        found = source.marts(sql, **ranges.bound(view, *_FILTERS))
    return found if found.frame.empty else found.with_frame(_derived(found.frame))


def _derived(rows: pd.DataFrame) -> pd.DataFrame:
    """Means, speeds and costs from the sums."""
    made = rows.copy()
    for column in [c for c in made.columns if c.endswith(("_tokens", "_sum", "_count", "_ms"))]:
        made[column] = pd.to_numeric(made[column], errors="coerce")
    made["error_pct"] = 100 * made["error_count"] / made["call_count"]
    chunks = made["first_chunk_count"].where(made["first_chunk_count"] > 0)
    made["first_chunk_ms"] = made["first_chunk_ms_sum"] / chunks
    seconds = made["answered_ms_sum"].where(made["answered_ms_sum"] > 0) / 1_000
    made["output_tokens_per_s"] = made["output_tokens"] / seconds
    prices = source.settings().prices
    made["cost"] = [_cost(row, prices) for row in made.to_dict("records")]
    made["currency"] = prices.currency if prices.models else None
    return made.drop(columns=["first_chunk_ms_sum", "first_chunk_count", "answered_ms_sum"])


def _cost(row: Mapping[Hashable, Any], prices: PriceSettings) -> float | None:
    """What the reported tokens cost; None without a price, or when no tokens were reported."""
    price = prices.models.get(str(row["model"]))
    names = ("input_tokens", "output_tokens", "cached_tokens")
    told = {name: value for name in names if (value := row[name]) == value and value is not None}
    if price is None or not told.keys() & {"input_tokens", "output_tokens"}:
        return None
    tokens_in, tokens_out, cached = (float(told.get(name, 0)) for name in names)
    of_cached = price.input if price.cached is None else price.cached
    fresh = max(tokens_in - cached, 0.0)
    return (fresh * price.input + cached * of_cached + tokens_out * price.output) / 1e6
