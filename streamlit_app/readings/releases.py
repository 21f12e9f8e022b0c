"""Releases: which were heard when, as marks of charts and to compare with.

Here: one function per question. Not here: what is compared (`requests` and the others).
"""

from datetime import datetime

import pandas as pd

from streamlit_app.readings import source
from streamlit_app.readings.source import Reading
from streamlit_app.view import PREVIOUS, RELEASE, View


def known(component: str | None = None) -> Reading:
    """component, version, environment, first_seen_at, last_seen_at: marts and live window together.

    Releases that name no version are left out.
    """
    sql = """
        SELECT component, version, environment, first_seen_at AT TIME ZONE 'UTC' AS first_seen_at,
            last_seen_at AT TIME ZONE 'UTC' AS last_seen_at
        FROM dim_releases WHERE $component IS NULL OR component = $component"""
    cold, hot = source.marts(sql, component=component), source.live("releases", component=component)
    frames = [r.frame for r in (cold, hot) if len(r.frame)]
    if not frames:
        return hot if hot.problem else cold
    rows = pd.concat(frames, ignore_index=True)
    rows = rows[rows["version"] != ""]
    for column in ("first_seen_at", "last_seen_at"):
        rows[column] = pd.to_datetime(rows[column], utc=True)
    by_release = rows.groupby(["component", "version", "environment"], as_index=False)
    merged = pd.DataFrame(by_release.agg({"first_seen_at": "min", "last_seen_at": "max"}))
    return cold.with_frame(merged.sort_values(["first_seen_at", "component"], ignore_index=True))


def marks(view: View) -> pd.DataFrame:
    """at, label: when a component's later release was first heard in the range.

    The first release of a component is none: it was there when somebody began to look.
    """
    rows = known(view.component).frame
    empty = pd.DataFrame(
        {"at": pd.Series(dtype="datetime64[us, UTC]"), "label": pd.Series(dtype=str)}
    )
    if rows.empty:
        return empty
    if view.environment:
        rows = rows[rows["environment"] == view.environment]
    is_later = rows.groupby(["component", "environment"])["first_seen_at"].rank("first") > 1
    inside = (rows["first_seen_at"] >= view.start_at) & (rows["first_seen_at"] < view.end_at)
    found = rows[is_later & inside]
    if found.empty:
        return empty
    labels = found["component"] + " " + found["version"]
    return pd.DataFrame({"at": found["first_seen_at"], "label": labels}).reset_index(drop=True)


def compared(view: View) -> View | None:
    """The view that this one is compared with; None when it is compared with nothing.

    A release is looked at in the same range, or, when it was last heard before, in a range as long that ends
    when it was.
    """
    if view.compare is None:
        return None
    if view.compare == PREVIOUS:
        start_at, end_at = view.previous()
        return view.but(start_at=start_at, end_at=end_at, compare=None)
    version = view.compare.removeprefix(RELEASE)
    last = _last_heard(version, view.component)
    if last is None or last >= view.start_at:
        return view.but(version=version, compare=None)
    end_at = last.replace(microsecond=0)
    return view.but(version=version, compare=None, start_at=end_at - view.length, end_at=end_at)


def _last_heard(version: str, component: str | None) -> datetime | None:
    rows = known(component).frame
    found = rows[rows["version"] == version] if len(rows) else rows
    return found["last_seen_at"].max().to_pydatetime() if len(found) else None
