"""Models against models: which is slowest, and whether the difference is more than chance.

Here: pure functions from `ai_models.models` to rows and sentences. Not here: drawing (`views/ai_models`). Two
p95 differ for certain when their 95 % intervals do not overlap, a test that is stricter than it needs to be.
"""

from collections import Counter
from typing import Any

import pandas as pd

from dagster_project.reporting.charts import MAX_SERIES
from streamlit_app.components import formats
from streamlit_app.components.calls import sums

Row = dict[str, Any]
_UNSURE = "unknown"


def compared(models: pd.DataFrame, against: str | None = None) -> pd.DataFrame:
    """The models, the slowest first, with `label`, `times` (the p95 of `against`) and `verdict`.

    `verdict` is a state and words. `against` is a label; the fastest unless one is named, and
    the column `is_against` marks it.
    """
    rows = models.assign(label=_labels(models))
    rows = rows.sort_values("p95_ms", ascending=False, na_position="last", ignore_index=True)
    if not sums.known(rows, "p95_ms"):
        return rows.assign(times=None, verdict=None, is_against=False)
    labels = rows["label"].tolist()
    place = labels.index(against) if against in labels else len(sums.known(rows, "p95_ms")) - 1
    other = rows.iloc[place]
    rows = rows.assign(
        is_against=[n == place for n in range(len(rows))],
        times=rows["p95_ms"].astype(float) / float(other["p95_ms"]),
    )
    return rows.assign(verdict=[_verdict(row, other) for row in rows.to_dict("records")])


def _labels(models: pd.DataFrame) -> list[str]:
    """The model's name; with its provider where two offer a model of that name."""
    is_twice = models["model"].duplicated(keep=False)
    rows = zip(models["model"], models["provider"], is_twice, strict=True)
    return [f"{model} ({provider})" if twice else str(model) for model, provider, twice in rows]


def _verdict(row: Any, other: Any) -> tuple[str, str] | None:
    """A state and words; None for the one that is compared with, and for what was not measured."""
    if row["label"] == other["label"] or pd.isna(row["times"]):
        return None
    times = f"{row['times']:.1f} \u00d7"
    if _is_above(row, other):
        return "warning", f"{times} slower"
    return (
        ("ok", f"{times} faster")
        if _is_above(other, row)
        else (_UNSURE, f"{times}, not told apart")
    )


def _is_above(one: Any, other: Any) -> bool:
    """Whether one's interval lies wholly above another's; an end that is not known decides nothing."""
    low, high = one["p95_low_ms"], other["p95_high_ms"]
    return bool(pd.notna(low) and pd.notna(high) and low > high)


def sentence(rows: pd.DataFrame) -> str:
    """Which model is slowest, by how much, and how sure that is; of rows of `compared`."""
    known = rows[rows["p95_ms"].notna()]
    if known.empty:
        return ""
    slowest = known.iloc[0]
    said = f"p95 {_ms(slowest['p95_ms'])}{interval(slowest)}"
    if len(known) == 1:
        return f"{slowest['label']} is the only model that was called: {said}."
    other = known[known["is_against"]].iloc[0]
    if slowest["label"] == other["label"]:
        return f"{slowest['label']} is slowest: {said}; the others are compared with it."
    times = f"{slowest['times']:.1f} times {other['label']}"
    return f"{slowest['label']} is slowest: {said}, {times}. {_how_sure(slowest['verdict'])}"


def _how_sure(verdict: tuple[str, str]) -> str:
    if verdict[0] == _UNSURE:
        return "These calls are too few, or too alike, to be sure of it."
    return "Their 95 % intervals do not overlap."


def interval(row: Any) -> str:
    """` (620 ms to 1,086 ms)`; an end for which there are too few calls is a dash, empty without both."""
    low, high = row["p95_low_ms"], row["p95_high_ms"]
    return "" if pd.isna(low) and pd.isna(high) else f" ({_ms(low)} to {_ms(high)})"


def _ms(value: Any) -> str:
    """Whole milliseconds up to ten seconds: ends of an interval lie close together."""
    if pd.isna(value):
        return formats.NOT_MEASURED
    return (
        formats.number(value, "ms", digits=0)
        if 10 <= value < 10_000
        else formats.duration_ms(value)
    )


def by_model(calls: pd.DataFrame) -> pd.DataFrame:
    """`ai_models.over_time` with a column `series`: the model, and whose call where several call it.

    Quantiles of two callers make none of both, so each has a line. The six that called most.
    """
    told = list(zip(calls["model"], calls["component"], calls["provider"], strict=True))
    callers = Counter(model for model, *_ in dict.fromkeys(told))
    named = calls.assign(
        series=[f"{who} {model}" if callers[model] > 1 else model for model, who, _ in told]
    )
    counts = Counter[str]()
    for name, count in zip(named["series"], named["call_count"], strict=True):
        counts[name] += int(count)
    most = [name for name, _ in counts.most_common(MAX_SERIES)]
    return pd.DataFrame(named[named["series"].isin(most)])
