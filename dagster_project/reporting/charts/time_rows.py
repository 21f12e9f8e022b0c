"""Rows of a time chart: everything that changes while somebody looks, in one frame.

Here: lines, what they are compared with, the bucket that is not over, thresholds, marks and the edges of
the range as rows of one shape. Not here: how they are drawn (`time_chart`). Columns: `at` (as drawn), `when`
(words), `kind`, `series`, `key` (s0, s1, ...), `value`, `note`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from dagster_project.reporting.charts.clock import Clock
from dagster_project.reporting.charts.series import keys_of, with_gaps

_LABEL_SHARE = 0.09


@dataclass(frozen=True)
class Threshold:
    """A value that should not be crossed, and what it is called."""

    value: float
    name: str


@dataclass(frozen=True)
class Mark:
    """Something that happened: when (UTC, aware), and in words, as `1.4.2 in api`."""

    at: datetime
    words: str


def time_rows(
    frame: pd.DataFrame,
    *,
    value: str,
    series: str,
    clock: Clock,
    names: Sequence[str],
    step_s: int,
    thresholds: Sequence[Threshold] = (),
    marks: Sequence[Mark] = (),
    compare: pd.DataFrame | None = None,
    moved_by: timedelta = timedelta(0),
    compare_step_s: int | None = None,
    partial_after: datetime | None = None,
) -> pd.DataFrame:
    """The rows of a chart of `value` over `bucket_at` by `series`.

    `compare` has the same columns, in buckets of `compare_step_s` (else `step_s`), and is drawn `moved_by`
    later. Buckets from `partial_after` on are not over.
    Values of lines that end in nothing are gaps, never zero.
    """
    keys = keys_of(names)
    lines = _lines(frame, value, series, step_s)
    whole, partial = _parted(lines, partial_after)
    rows = [whole.assign(kind="value"), partial.assign(kind="partial"), _ends(whole)]
    if compare is not None and len(compare):
        before = _lines(compare, value, series, compare_step_s or step_s)
        rows.append(before.assign(bucket_at=before["bucket_at"] + moved_by, kind="compare"))
    rows += [_edges(clock), _thresholds(thresholds, clock), _marks(marks, clock)]
    found = pd.concat([r for r in rows if len(r)], ignore_index=True)
    times = pd.Series(found["bucket_at"])
    return pd.DataFrame(
        {
            "at": clock.drawn(times),
            "when": clock.words(times),
            "kind": found["kind"],
            "series": found["series"].fillna(""),
            "key": [keys.get(name, "") for name in found["series"]],
            "value": found["value"].astype(float),
            "note": found["note"].fillna("") if "note" in found else "",
        }
    )


def _lines(frame: pd.DataFrame, value: str, series: str, step_s: int) -> pd.DataFrame:
    if frame.empty:
        nothing = {
            "bucket_at": pd.Series([], dtype="datetime64[us, UTC]"),
            "series": [],
            "value": [],
        }
        return pd.DataFrame(nothing)
    lines = pd.DataFrame(frame[["bucket_at", series, value]])
    lines["bucket_at"] = pd.to_datetime(lines["bucket_at"], utc=True)
    broken = with_gaps(lines, series=series, step_s=step_s)
    return broken.rename(columns={series: "series", value: "value"})


def _parted(lines: pd.DataFrame, after: datetime | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines up to the bucket that is not over, and from the last whole bucket to it."""
    if after is None or lines.empty:
        return lines, lines.head(0)
    is_over = lines["bucket_at"] < pd.Timestamp(after)
    whole = pd.DataFrame(lines[is_over])
    open_ones = pd.DataFrame(lines[~is_over])
    last = whole.sort_values("bucket_at").groupby("series").tail(1)
    joined = last[last["series"].isin(list(open_ones["series"]))]
    return whole, pd.DataFrame(pd.concat([joined, open_ones]))


def _ends(whole: pd.DataFrame) -> pd.DataFrame:
    """Where each line's name stands: at its end, moved apart where ends lie close together."""
    known = whole.dropna(subset=["value"])
    ends = pd.DataFrame(known.sort_values("bucket_at").groupby("series").tail(1)).sort_values(
        "value"
    )
    gap = max([float(v) for v in known["value"]], default=0.0) * _LABEL_SHARE
    places: list[float] = []
    for end in ends["value"]:
        places.append(max(float(end), places[-1] + gap) if places else float(end))
    return ends.assign(value=places, kind="name")


def _edges(clock: Clock) -> pd.DataFrame:
    return pd.DataFrame(
        {"bucket_at": _times([clock.start_at, clock.end_at]), "kind": "edge"}
    ).assign(series=None, value=None)


def _thresholds(thresholds: Sequence[Threshold], clock: Clock) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "bucket_at": _times([clock.start_at for _ in thresholds]),
            "value": [t.value for t in thresholds],
            "note": [t.name for t in thresholds],
        }
    ).assign(kind="threshold", series=None)


def _marks(marks: Sequence[Mark], clock: Clock) -> pd.DataFrame:
    inside = [m for m in marks if clock.start_at <= m.at <= clock.end_at]
    return pd.DataFrame(
        {"bucket_at": _times([m.at for m in inside]), "note": [m.words for m in inside]}
    ).assign(kind="mark", series=None, value=None)


def _times(moments: list[datetime]) -> pd.Series:
    return pd.Series(pd.to_datetime(moments, utc=True))
