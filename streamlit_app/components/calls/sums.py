"""Sums over columns in which what nobody measured is missing, not zero.

Here: numbers of a frame. Not here: how they read (`components/formats`).
"""

import pandas as pd


def known(rows: pd.DataFrame, name: str) -> list[float]:
    """The measured values of a column; none where the frame lacks it."""
    values = list(rows[name]) if name in rows else []
    return [float(v) for v in values if v is not None and not pd.isna(v)]


def total(rows: pd.DataFrame, name: str) -> float | None:
    """Their sum; None when nothing was measured."""
    values = known(rows, name)
    return sum(values) if values else None


def mean(rows: pd.DataFrame, name: str, weight: str) -> float | None:
    """Mean of a column weighted by another, over the rows that have both; None without any."""
    pairs = [
        (float(v), float(w))
        for v, w in zip(rows[name], rows[weight], strict=True)
        if not pd.isna(v) and not pd.isna(w)
    ]
    whole = sum(w for _, w in pairs)
    return sum(v * w for v, w in pairs) / whole if whole else None


def rate(rows: pd.DataFrame, name: str, seconds: float) -> float | None:
    """Their sum for each second; None when nothing was measured."""
    found = total(rows, name)
    return None if found is None else found / seconds


def share(part: float | None, whole: float | None) -> float | None:
    """Percent; None of nothing."""
    return 100 * (part or 0.0) / whole if whole else None
