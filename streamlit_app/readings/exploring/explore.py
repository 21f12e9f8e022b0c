"""Questions that people make up: which tables and columns they may ask, and asking within limits.

Here: the published copies of the viewer's audiences, SQL as it was typed, answers as frames. Not here: from a
form to SQL (`questions`), what SQL may do (`ingestion/lake/guarded_sql`).
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from ingestion.lake import guarded_sql
from ingestion.lake.duck import AUDIENCES
from ingestion.lake.guarded_sql import Limits, Refused
from privacy.access.access_policy import Right
from privacy.keys.key_store import KeyProblem
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

LIMITS = Limits(rows=5_000, seconds=10, memory="256 MB", passed_rows=50_000_000, answer_mb=20)
_AT_ONCE = 2
_PATIENCE_S = 12.0
_turns = threading.BoundedSemaphore(_AT_ONCE)
_COLUMNS = """
    SELECT table_name, column_name, data_type FROM duckdb_columns()
    WHERE database_name = 'published' ORDER BY table_name, column_index"""
Tables = Mapping[str, Mapping[str, str]]
"""DuckDB's type of each column, by table."""


@dataclass(frozen=True)
class Found:
    """An answer as a frame, or why there is none; what was asked, of whom, and how long it took.

    Times are UTC and aware; lists and maps are JSON. `as_of` is when the copy was published.
    """

    frame: pd.DataFrame
    problem: str | None = None
    sql: str = ""
    audience: str = source.AUDIENCE
    as_of: datetime | None = None
    is_cut: bool = False
    took_s: float = 0.0
    source: str = "marts"
    name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def audiences() -> list[str]:
    """Whose copies the viewer may ask."""
    return [one for one in AUDIENCES if permission.may_read(Right.AUDIENCE, one)]


def tables(audience: str) -> Tables:
    """Columns of every table of a copy; empty while nothing is published."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in ask(_COLUMNS, audience).frame.itertuples(index=False, name=None):
        found.setdefault(table, {})[column] = kind
    return found


def ask(sql: str, audience: str) -> Found:
    """The answer to one reading statement; cached until a new copy is swapped in."""
    permission.require_of_viewer(Right.AUDIENCE, audience)
    path = source.settings().published_path(audience)
    return _ask(sql.strip(), audience, path.stat().st_mtime_ns if path.exists() else 0)


@st.cache_data(max_entries=20, ttl=300, show_spinner=False)
def _ask(sql: str, audience: str, snapshot: int) -> Found:
    nothing = Found(pd.DataFrame(), None, sql, audience)
    if not _turns.acquire(timeout=_PATIENCE_S):
        return _with(nothing, "others are asking: try again in a few seconds.")
    try:
        answer = guarded_sql.ask(source.settings(), sql, audience, LIMITS)
    except (Refused, KeyProblem) as problem:
        return _with(nothing, str(problem))
    finally:
        _turns.release()
    as_of = datetime.fromtimestamp(snapshot / 1e9, UTC)
    return Found(_frame(answer), None, sql, audience, as_of, answer.is_cut, answer.took_s)


def _with(found: Found, problem: str) -> Found:
    return Found(found.frame, problem, found.sql, found.audience)


def _frame(answer: guarded_sql.Answer) -> pd.DataFrame:
    """Columns by type; of two with one name the second is numbered."""
    frame = pd.DataFrame(answer.rows, columns=pd.Index(range(len(answer.columns))), dtype=object)
    made = {
        name: _column(pd.Series(frame[place]), kind)
        for place, (name, kind) in enumerate(zip(_apart(answer.columns), answer.types, strict=True))
    }
    return pd.DataFrame(made)


def _apart(names: list[str]) -> list[str]:
    told: list[str] = []
    for name in names:
        count = 2
        unique = name
        while unique in told:
            unique, count = f"{name}_{count}", count + 1
        told.append(unique)
    return told


def _column(values: pd.Series, kind: str) -> pd.Series:
    if kind.startswith(("TIMESTAMP", "DATE")):
        return pd.to_datetime(values, utc=True, errors="coerce")
    if kind.startswith(("DOUBLE", "FLOAT", "DECIMAL")):
        return values.astype(float)
    if kind in {"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "HUGEINT"}:
        try:
            return values.astype("Int64")
        except (OverflowError, TypeError):
            return values.map(str, na_action="ignore")
    return values.map(_plain, na_action="ignore")


def _plain(value: object) -> object:
    if isinstance(value, str | bool):
        return value
    return json.dumps(value, default=str) if isinstance(value, list | dict | tuple) else str(value)
