"""What becomes of series before they are drawn: the smallest as "other", holes as gaps.

Frames have a column `bucket_at` (UTC, aware), one that names the series and one with values.
"""

from collections.abc import Sequence

import pandas as pd

from dagster_project.reporting.charts.look import MAX_SERIES, OTHER


def fold_series(frame: pd.DataFrame, series: str, value: str) -> pd.DataFrame:
    """Keep the six largest series by total; sum the rest as "other"."""
    totals = pd.Series(frame.groupby(series)[value].sum()).sort_values(ascending=False)
    if len(totals) <= MAX_SERIES:
        return frame
    kept = list(totals.index[: MAX_SERIES - 1])
    folded = frame.assign(**{series: frame[series].where(frame[series].isin(kept), OTHER)})
    keys = [c for c in folded.columns if c != value and c in {series, "bucket_at"}]
    return pd.DataFrame(folded.groupby(keys, as_index=False)[value].sum())


def with_gaps(frame: pd.DataFrame, *, series: str, step_s: int) -> pd.DataFrame:
    """One row without values after the last bucket before a hole, so that lines break there.

    A line drawn over missing buckets would claim values that nobody measured.
    """
    step = pd.Timedelta(seconds=step_s)
    keys = [series, "bucket_at"]
    buckets = pd.DataFrame(frame[keys]).drop_duplicates().sort_values(keys)
    following = buckets.groupby(series)["bucket_at"].shift(-1)
    holes = buckets[following - buckets["bucket_at"] > step]
    if holes.empty:
        return frame
    ends = holes.assign(bucket_at=holes["bucket_at"] + step)
    return pd.concat([frame, ends]).sort_values(keys)


def keys_of(names: Sequence[str]) -> dict[str, str]:
    """A column name for each series, whatever signs its own name has."""
    return {name: f"s{place}" for place, name in enumerate(names)}
