"""What the Errors page reads: live groups up to the window, marts beyond, records of decisions.

Here: one typed function per question. Not here: drawing (`views/errors`), deciding (`error_actions`).
"""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from ingestion.meaning.errors.states import GroupRecord
from ingestion.meaning.errors.store import ErrorStore, NoSuchGroup, Transition
from privacy.keys.store import KeyProblem, KeyStore
from streamlit_app.readings import performance as data
from streamlit_app.readings import source


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


def groups(minutes: int, component: str | None) -> source.Reading:
    """group_key, title, culprit, components, error_count, session_count, last_seen_at."""
    if data.is_live(minutes):
        return source.live("error_groups", minutes=minutes, component=component)
    sql = """
        SELECT group_key, any_value(title) AS title, any_value(culprit) AS culprit,
            list(DISTINCT f.component) AS components, sum(f.error_count)::BIGINT AS error_count,
            max(f.session_count) AS session_count,
            max(f.last_seen_at) AT TIME ZONE 'UTC' AS last_seen_at
        FROM fct_errors_hourly AS f JOIN dim_error_groups USING (group_key)
        WHERE hour_at >= $since AND ($component IS NULL OR f.component = $component)
        GROUP BY 1 ORDER BY error_count DESC"""
    return source.marts(sql, since=data.since(minutes), component=component)


def trend(minutes: int, key: str | None = None) -> pd.DataFrame:
    """bucket_at, group_key, error_count; no bucket where there was no error."""
    if data.is_live(minutes):
        frame = source.live("error_counts", minutes=minutes, step_s=data.step_s(minutes)).frame
    else:
        sql = """
            SELECT hour_at AS bucket_at, group_key, sum(error_count)::BIGINT AS error_count
            FROM fct_errors_hourly WHERE hour_at >= $since GROUP BY 1, 2 ORDER BY 1, 2"""
        frame = source.marts(sql, since=data.since(minutes)).frame
    return pd.DataFrame(frame[frame["group_key"] == key]) if key and len(frame) else frame


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


def latest(key: str) -> source.Reading:
    """The latest errors of a group in the live window: time, release, route, trace."""
    return source.live("error_group", key=key, limit=50)


def now() -> datetime:
    """UTC without zone, as records have it."""
    return datetime.now(UTC).replace(tzinfo=None)
