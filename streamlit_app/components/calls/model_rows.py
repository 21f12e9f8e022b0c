"""Models against models: which is slowest, and whether the difference is more than chance.

Here: pure functions from `ai_models.models` to rows and sentences. Not here: drawing (`views/ai_models`). Two
p95 differ for certain when their 95 % intervals do not overlap, a test that is stricter than it needs to be.
"""

from typing import Any

import pandas as pd

from streamlit_app.components import formats

Row = dict[str, Any]
_NOT_TOLD = ("unknown", "not told apart")


def compared(models: pd.DataFrame, against: str | None = None) -> pd.DataFrame:
    """The models, the slowest first, with `label`, `times` (of the p95 of `against`) and `verdict`.

    `against` is a label; the fastest unless one is named. The column `is_against` marks it.
    """
    rows = models.assign(label=_labels(models))
    rows = rows.sort_values("p95_ms", ascending=False, na_position="last", ignore_index=True)
    if rows["p95_ms"].notna().sum() == 0:
        return rows.assign(times=None, verdict=None, is_against=False)
    is_against = rows["label"] == against
    if not is_against.any():
        is_against = rows.index == rows["p95_ms"].astype(float).idxmin()
    other = rows[is_against].iloc[0]
    return rows.assign(
        is_against=is_against,
        times=rows["p95_ms"].astype(float) / float(other["p95_ms"]),
        verdict=[_verdict(row, other) for row in rows.to_dict("records")],
    )


def _labels(models: pd.DataFrame) -> list[str]:
    """The model's name; with its provider where two offer a model of that name."""
    is_twice = models["model"].duplicated(keep=False)
    rows = zip(models["model"], models["provider"], is_twice, strict=True)
    return [f"{model} ({provider})" if twice else str(model) for model, provider, twice in rows]


def _verdict(row: Any, other: Any) -> tuple[str, str] | None:
    if row["label"] == other["label"]:
        return None
    if _is_above(row, other):
        return "warning", "slower"
    return ("ok", "faster") if _is_above(other, row) else _NOT_TOLD


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
    said = f"p95 {formats.duration_ms(slowest['p95_ms'])}{interval(slowest)}"
    if len(known) == 1:
        return f"{slowest['label']} is the only model that was called: {said}."
    other = known[known["is_against"]].iloc[0]
    if slowest["label"] == other["label"]:
        return f"{slowest['label']} is slowest: {said}; the others are compared with it."
    times = f"{slowest['times']:.1f} times {other['label']}"
    return f"{slowest['label']} is slowest: {said}, {times}. {_how_sure(slowest['verdict'])}"


def _how_sure(verdict: tuple[str, str]) -> str:
    if verdict == _NOT_TOLD:
        return "Their intervals overlap: these calls are too few to tell them apart."
    return "Their 95 % intervals do not overlap."


def interval(row: Any) -> str:
    """` (620 ms to 1.1 s)`; an end for which there are too few calls is a dash, empty without both."""
    low, high = row["p95_low_ms"], row["p95_high_ms"]
    if pd.isna(low) and pd.isna(high):
        return ""
    ends = [None if pd.isna(end) else float(end) for end in (low, high)]
    return f" ({formats.duration_ms(ends[0])} to {formats.duration_ms(ends[1])})"


def by_model(calls: pd.DataFrame) -> pd.DataFrame:
    """`ai_models.over_time` with a column `series`: the model, and whose call where several call it.

    Quantiles of two callers make none of both, so each has a line. The six that called most.
    """
    callers = calls.groupby("model")[["component", "provider"]].nunique().max(axis="columns")
    is_shared = calls["model"].map(callers) > 1
    names = calls["model"].where(~is_shared, calls["component"] + " " + calls["model"])
    named = calls.assign(series=names)
    most = named.groupby("series")["call_count"].sum().nlargest(6).index
    return pd.DataFrame(named[named["series"].isin(list(most))])
