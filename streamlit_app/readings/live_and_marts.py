"""Where pages read: the live window and published marts, each asked by somebody who may.

Here: the two sources, their ages and problems, caching by snapshot. Not here: the questions of a page (the
modules beside). A page never sees which source answered, except by the age it shows.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from ingestion.lake.duck import NotPublished, open_published
from ingestion.processes import passes
from ingestion.settings import Settings, load_settings
from live_tail.http.client import LiveClient, LiveUnavailable
from privacy.access.policy import Right
from privacy.keys.store import KeyProblem
from streamlit_app.sign_in import permission

AUDIENCE = "operations"
RANGES = {"15 min": 15, "1 h": 60, "6 h": 360, "24 h": 1_440, "7 d": 10_080}
_BEGAN_AT = datetime.now(UTC)
_STEPS_S = {15: 15, 60: 60, 360: 300, 1_440: 900, 10_080: 3_600}


@dataclass(frozen=True)
class Source:
    """How old what is shown is, and why something is missing."""

    live_age_s: float | None = None
    marts_age_s: float | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Reading:
    """A frame, or the reason there is none."""

    frame: pd.DataFrame
    problem: str | None = None


@st.cache_resource
def settings() -> Settings:
    """Settings of the data home."""
    return load_settings()


@st.cache_resource
def client() -> LiveClient:
    """The live tail's client."""
    return LiveClient.of(settings())


def step_s(minutes: int) -> int:
    """Width of a time bucket for a range."""
    return _STEPS_S.get(minutes, 300)


def is_live(minutes: int) -> bool:
    """Whether the live window covers the range."""
    return minutes <= settings().live.window_minutes


def live(name: str, **parameters: int | str | None) -> Reading:
    """A named live query as a frame; times become datetimes."""
    permission.require_of_viewer(Right.QUERY, name)
    try:
        answer = client().query(name, **parameters)
    except LiveUnavailable as problem:
        return Reading(pd.DataFrame(), str(problem))
    frame = pd.DataFrame(answer.rows)
    for column in [c for c in frame.columns if c.endswith("_at")]:
        frame[column] = pd.to_datetime(frame[column], utc=True, format="ISO8601")
    return Reading(frame)


def alerts() -> dict[str, Any] | None:
    """alerts, silences, channels, on_call and problem, or None without an answer or the right."""
    if not permission.may_read(Right.QUERY, "alerts"):
        return None
    try:
        return client().get("/api/v1/alerts")
    except LiveUnavailable:
        return None


def alert_weeks() -> Reading:
    """The published figures of alerts by week, in the words of the live API, the newest first."""
    return marts(
        "SELECT strftime(week_on, '%Y-%m-%d') AS week, rule, component, severity,"
        " fired_count AS fired, acted_on_count AS acted_on, noise_pct, reopened_count AS reopened,"
        " mtta_s, mttr_s, mtbf_s FROM fct_alert_resolution_weekly"
        " ORDER BY week DESC, fired DESC, rule, component"
    )


def source() -> Source:
    """Ages of both sources."""
    freshness = live("freshness")
    live_age = None
    if not freshness.problem and len(freshness.frame):
        row = freshness.frame.iloc[0]
        if pd.notna(row.get("last_commit_at")):
            live_age = (datetime.now(UTC) - row["last_commit_at"]).total_seconds()
    built = marts("SELECT built_at FROM meta_builds")
    marts_age = None
    if len(built.frame):
        moment = built.frame.iloc[0, 0].tz_localize("UTC")
        marts_age = (datetime.now(UTC) - moment).total_seconds()
    return Source(live_age, marts_age, freshness.problem)


def batch_problems() -> list[str]:
    """Why marts are not as new as they should be, each in a few words; empty when all is well."""
    found = passes.problems(settings(), datetime.now(UTC), _BEGAN_AT)
    return [problem.reason for problem in found]


def marts(sql: str, *, audience: str = AUDIENCE, **parameters: object) -> Reading:
    """A question to a published copy; cached until a new copy is swapped in."""
    try:
        permission.require_of_viewer(Right.AUDIENCE, audience)
    except KeyProblem as problem:
        return Reading(pd.DataFrame(), str(problem))
    path = settings().published_path(audience)
    snapshot = path.stat().st_mtime_ns if path.exists() else 0
    return _marts(sql, audience, tuple(sorted(parameters.items())), snapshot)


@st.cache_data(max_entries=200, ttl=300, show_spinner=False)
def _marts(
    sql: str, audience: str, parameters: tuple[tuple[str, object], ...], snapshot: int
) -> Reading:
    try:
        con = open_published(settings(), audience)
    except (NotPublished, KeyProblem) as problem:
        return Reading(pd.DataFrame(), str(problem))
    try:
        frame = con.execute(sql, dict(parameters)).df()
    finally:
        con.close()
    return Reading(frame)


def since(minutes: int) -> datetime:
    """Start of a range that ends now, UTC without zone as the marts have it."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).replace(tzinfo=None, microsecond=0)
