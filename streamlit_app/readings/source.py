"""Where every reading comes from: named live queries, and published copies of the marts.

Here: asking either as the viewer may, with the age and the origin of what was answered; settings, the
live tail's client, ages of both sources. Not here: questions (the modules beside this one), drawing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import duckdb
import pandas as pd
import streamlit as st

from ingestion.lake.duck import NotPublished, open_published
from ingestion.processes import passes
from ingestion.settings import Settings, load_settings
from live_tail.http.client import LiveClient, LiveUnavailable
from live_tail.window.queries.catalogue import QUERIES
from privacy.access.access_policy import Right
from privacy.keys.key_store import KeyProblem
from streamlit_app.sign_in import permission

AUDIENCE = "operations"
Origin = Literal["live", "marts"]
_PARAMETER = re.compile(r"\$(\w+)")
_OLDER = "the published copy is older than the app and lacks this: the next pass makes it."
_BEGAN_AT = datetime.now(UTC)


@dataclass(frozen=True)
class Reading:
    """A frame, or the reason there is none, and how it was computed.

    `sql` is what was asked of the live window, with `parameters`, or of the copy of `audience`, with its
    parameters written out; `name` is the live query, empty for marts. `as_of` is UTC: when the window
    answered or the copy was published.
    """

    frame: pd.DataFrame
    problem: str | None = None
    sql: str = ""
    source: Origin = "marts"
    as_of: datetime | None = None
    name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    audience: str = AUDIENCE

    def with_frame(self, frame: pd.DataFrame) -> "Reading":
        """The same answer, worked over."""
        return Reading(
            frame, self.problem, self.sql, self.source, self.as_of, self.name, self.parameters,
            self.audience,
        )  # fmt: skip


@dataclass(frozen=True)
class Ages:
    """How old what is shown is, and why something is missing."""

    live_age_s: float | None = None
    marts_age_s: float | None = None
    problem: str | None = None


@st.cache_resource
def settings() -> Settings:
    """Settings of the data home."""
    return load_settings()


@st.cache_resource
def client() -> LiveClient:
    """The live tail's client."""
    return LiveClient.of(settings())


def live(name: str, **parameters: int | str | None) -> Reading:
    """A named live query as a frame; times become datetimes, what is None is not asked for."""
    permission.require_of_viewer(Right.QUERY, name)
    asked = {key: value for key, value in parameters.items() if value is not None}
    sql = QUERIES[name].sql if name in QUERIES else ""
    try:
        answer = client().query(name, **asked)
    except LiveUnavailable as problem:
        return Reading(
            pd.DataFrame(), str(problem), sql=sql, source="live", name=name, parameters=asked
        )
    frame = pd.DataFrame(answer.rows)
    for column in [c for c in frame.columns if c.endswith("_at")]:
        frame[column] = pd.to_datetime(frame[column], utc=True, format="ISO8601")
    as_of = datetime.fromisoformat(answer.as_of)
    return Reading(frame, None, sql, "live", as_of, name, asked)


def marts(sql: str, *, audience: str = AUDIENCE, **parameters: object) -> Reading:
    """A question to a published copy; cached until a new copy is swapped in. Times come with UTC."""
    try:
        permission.require_of_viewer(Right.AUDIENCE, audience)
    except KeyProblem as problem:
        return Reading(pd.DataFrame(), str(problem), sql=sql, audience=audience)
    path = settings().published_path(audience)
    snapshot = path.stat().st_mtime_ns if path.exists() else 0
    return _marts(sql, audience, tuple(sorted(parameters.items())), snapshot)


@st.cache_data(max_entries=200, ttl=300, show_spinner=False)
def _marts(
    sql: str, audience: str, parameters: tuple[tuple[str, object], ...], snapshot: int
) -> Reading:
    asked = dict(parameters)
    about = {"sql": told(sql, asked), "audience": audience, "parameters": asked}
    try:
        con = open_published(settings(), audience)
    except (NotPublished, KeyProblem) as problem:
        return Reading(pd.DataFrame(), str(problem), **about)
    try:
        frame = con.execute(sql, asked).df()
    except (duckdb.CatalogException, duckdb.BinderException):
        # An app that is newer than the copy: the page says so instead of failing.
        return Reading(pd.DataFrame(), _OLDER, **about)
    finally:
        con.close()
    return Reading(frame, as_of=datetime.fromtimestamp(snapshot / 1e9, UTC), **about)


def told(sql: str, parameters: Mapping[str, object]) -> str:
    """SQL with its parameters written out, to be asked again."""
    return _PARAMETER.sub(lambda found: _literal(parameters[found[1]]), sql)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value}'"
    return (
        str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
    )


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


def ages() -> Ages:
    """Ages of both sources, seconds."""
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
    return Ages(live_age, marts_age, freshness.problem)


def batch_problems() -> list[str]:
    """Why marts are not as new as they should be, each in a few words; empty when all is well."""
    found = passes.problems(settings(), datetime.now(UTC), _BEGAN_AT)
    return [problem.reason for problem in found]
