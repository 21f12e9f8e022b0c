"""What is read from: the tables of the hot window, asked each question once in a look.

Here: the form that every source of facts has, and asking it. Not here: the questions (`facts`, `outages`,
`sources`), the tables (`live_tail/window`).
"""

from datetime import datetime
from typing import Any, Protocol

import duckdb

from live_tail.window.rows.point_facts import Points

Rows = list[tuple[dict[str, str], float]]


class HotTables(Protocol):
    """What is read: tables of the window, and the series of `hot_points`."""

    points: Points

    def cursor(self, *tables: str) -> duckdb.DuckDBPyConnection:
        """A connection for one reader of these tables; without names, of all."""
        ...

    def has(self, *tables: str) -> bool:
        """Whether any of these tables may hold a row."""
        ...

    def failures(self, after: datetime, until: datetime) -> list[tuple[Any, ...]]:
        """Component, route, name, exception type, area and number of failures between two times."""
        ...


class OneLook:
    """Tables that are asked each question once: for the rules that are judged together, at one time."""

    def __init__(self, tables: HotTables) -> None:
        self._tables = tables
        self.points = tables.points
        self.answers: dict[tuple[str, str], list[tuple[Any, ...]]] = {}

    def cursor(self, *tables: str) -> duckdb.DuckDBPyConnection:
        """A connection for one reader of these tables; without names, of all."""
        return self._tables.cursor(*tables)

    def has(self, *tables: str) -> bool:
        """Whether any of these tables may hold a row."""
        return self._tables.has(*tables)

    def failures(self, after: datetime, until: datetime) -> list[tuple[Any, ...]]:
        """Component, route, name, exception type, area and number of failures between two times."""
        return self._tables.failures(after, until)


def asked(
    tables: HotTables, names: tuple[str, ...], sql: str, bound: object
) -> list[tuple[Any, ...]]:
    """Rows of a statement over these tables; none, and nothing is asked, while all are empty."""
    answers = tables.answers if isinstance(tables, OneLook) else {}
    question = (sql, repr(bound))
    if question not in answers:
        answers[question] = _answered(tables, names, sql, bound) if tables.has(*names) else []
    return answers[question]


def _answered(
    tables: HotTables, names: tuple[str, ...], sql: str, bound: object
) -> list[tuple[Any, ...]]:
    cursor = tables.cursor(*names)
    try:
        return cursor.execute(sql, bound).fetchall()
    finally:
        cursor.close()
