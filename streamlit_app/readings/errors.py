"""What the Errors page reads: live groups up to the window, marts beyond, records of decisions.

Here: one typed function per question. Not here: drawing (`views/errors`), deciding (`actions/errors`).
"""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from ingestion.meaning.errors.group_states import GroupRecord
from ingestion.meaning.errors.group_store import ErrorStore, NoSuchGroup, Transition
from privacy.keys.key_store import KeyProblem, KeyStore
from streamlit_app.readings import ranges, source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_FILTERS = (*ranges.RELEASED, "route")
_HOURS = ranges.within(*_FILTERS, time="hour_at").replace(
    "hour_at >= $start", "hour_at >= date_trunc('hour', $start::TIMESTAMP)"
)


@st.cache_resource
def store() -> ErrorStore | None:
    """The groups' records, or None where the data home has no key yet."""
    settings = source.settings()
    try:
        return ErrorStore(settings.home, KeyStore.open(settings.home))
    except KeyProblem:
        return None


def records() -> dict[str, GroupRecord]:
    """Every known group by key."""
    found = store()
    return {r.key: r for r in found.groups()} if found else {}


def record(key: str) -> GroupRecord | None:
    """One group, or None when it is not known."""
    found = store()
    try:
        return found.group(key) if found else None
    except NoSuchGroup:
        return None


def history(key: str) -> list[Transition]:
    """What happened to a group, oldest first."""
    found = store()
    return found.transitions(key) if found else []


def groups_of(view: View) -> Reading:
    """group_key, title, culprit, components, error_count, session_count (null below ten), last_seen_at."""
    if ranges.is_live(view):
        return source.live("error_groups", **ranges.asked(view, *_FILTERS))
    sql = f"""
        SELECT group_key, any_value(title) AS title, any_value(culprit) AS culprit,
            list(DISTINCT f.component) AS components, sum(f.error_count)::BIGINT AS error_count,
            max(f.session_count) AS session_count,
            max(f.last_seen_at) AT TIME ZONE 'UTC' AS last_seen_at
        FROM (SELECT * FROM fct_errors_hourly WHERE {_HOURS}) AS f JOIN dim_error_groups USING (group_key)
        GROUP BY 1 ORDER BY error_count DESC, group_key"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS))


def trend_of(view: View, key: str | None = None) -> Reading:
    """bucket_at, group_key, error_count, of all groups or one; no bucket where there was no error."""
    if ranges.is_live(view):
        found = source.live(
            "error_counts", step_s=ranges.step_s(view), **ranges.asked(view, *_FILTERS)
        )
    else:
        sql = f"""
            SELECT time_bucket(INTERVAL {step_s(view)} SECONDS, hour_at) AS bucket_at, group_key,
                sum(error_count)::BIGINT AS error_count
            FROM fct_errors_hourly WHERE {_HOURS} GROUP BY 1, 2 ORDER BY 1, 2"""
        found = source.marts(sql, **ranges.bound(view, *_FILTERS))
    if key is None or found.frame.empty:
        return found
    return found.with_frame(pd.DataFrame(found.frame[found.frame["group_key"] == key]))


def releases_of(view: View, key: str) -> Reading:
    """version (empty where none was told), components, errors, first_seen_at, last_seen_at of a group.

    The newest first.
    """
    if ranges.is_live(view):
        return source.live("error_releases", key=key, **ranges.asked(view, *_FILTERS))
    sql = f"""
        SELECT coalesce(version, '') AS version,
            string_agg(DISTINCT component, ', ' ORDER BY component) AS components,
            sum(error_count)::BIGINT AS errors, min(first_seen_at) AT TIME ZONE 'UTC' AS first_seen_at,
            max(last_seen_at) AT TIME ZONE 'UTC' AS last_seen_at
        FROM fct_errors_hourly WHERE {_HOURS} AND group_key = $key
        GROUP BY 1 ORDER BY last_seen_at DESC, version"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS), key=key)


def step_s(view: View) -> int:
    """Seconds of a bucket of `trend_of`: marts count errors by the hour."""
    return ranges.step_s(view) if ranges.is_live(view) else view.step_s(3_600)


def counted(trend: pd.DataFrame, step_s: int, now: datetime) -> pd.DataFrame:
    """Errors by bucket from the first one to now: a bucket without an error is a measured zero."""
    counts = trend.groupby("bucket_at")["error_count"].sum()
    counts.index = pd.to_datetime(pd.Index(counts.index), utc=True)
    step = pd.Timedelta(seconds=step_s)
    first = pd.Timestamp(str(counts.index.min())) - step
    buckets = pd.date_range(first, pd.Timestamp(now).floor(f"{step_s}s"), freq=step)
    filled = counts.reindex(buckets.union(counts.index), fill_value=0)
    return pd.DataFrame(
        {"bucket_at": filled.index, "error_count": filled.to_numpy(), "series": "errors"}
    )


def now() -> datetime:
    """UTC without zone, as records have it."""
    return datetime.now(UTC).replace(tzinfo=None)
