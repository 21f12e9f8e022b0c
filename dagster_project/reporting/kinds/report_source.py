"""What a report is made from, and what a kind of report is.

Here: asking a published copy, the settings and keys of the home, and the form of a kind. Not here: questions
(the modules beside this one), opening the copy (`making`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from dagster_project.reporting.document.figures import Figure, Table
from dagster_project.reporting.document.report_document import Chart, State
from dagster_project.reporting.document.report_periods import Cadence, ReportPeriod
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore

_PARAMETER = re.compile(r"\$(\w+)")


class NoData(Exception):
    """Nothing is known of the period; the message says since when there is something."""


@dataclass(frozen=True)
class Source:
    """A published copy of the kind's audience, open for reading, and the home that it is of."""

    con: duckdb.DuckDBPyConnection
    settings: Settings
    keys: KeyStore

    def ask(self, sql: str, period: ReportPeriod, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a question; `$start` and `$end` are the period's ends, UTC without zone."""
        ends = {"start": naive(period.start_at), "end": naive(period.end_at)}
        used = set(_PARAMETER.findall(sql))
        found = self.con.execute(
            sql, {name: value for name, value in {**ends, **parameters}.items() if name in used}
        )
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, sql: str, period: ReportPeriod, **parameters: Any) -> dict[str, Any]:
        """The first row; empty without one."""
        rows = self.ask(sql, period, **parameters)
        return rows[0] if rows else {}


def naive(moment: datetime) -> datetime:
    """A moment in UTC as the marts have it: without zone."""
    return moment.replace(tzinfo=None)


@dataclass(frozen=True)
class Said:
    """What a kind says about a period."""

    state: State
    verdict: str
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    method: tuple[str, ...]


@dataclass(frozen=True)
class ReportKind:
    """A kind of report: who may read it (`audience`), how often it is due, and what it says.

    `say` raises NoData when nothing is known of the period.
    """

    name: str
    title: str
    about: str
    cadence: Cadence
    audience: str
    say: Callable[[Source, ReportPeriod], Said]
