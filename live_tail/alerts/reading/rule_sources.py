"""Where rules read: series of metrics and facts of the hot window, as values by labels.

Here: one face for all of it, SQL rules within limits, changes of error groups. Not here: metrics
(`metrics`), facts (`facts`), conditions (`live_tail/alerts/rules/evaluate`).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb
import numpy as np

from live_tail.alerts.reading.facts import bad_and_total, known_since, read_fact, uses
from live_tail.alerts.reading.hot_tables import HotTables, OneLook, Rows
from live_tail.alerts.reading.matching import Vector, folded, matches
from live_tail.alerts.reading.metrics import Matching, Metrics
from live_tail.alerts.reading.seasons import Hours
from live_tail.alerts.reading.selecting import Select, Sql
from live_tail.alerts.words.rule_records import GroupChange, Labels
from live_tail.window.queries.asking import tables_in
from live_tail.window.window import Window


class ErrorGroupsUnavailable(Exception):
    """No stream of error groups is connected, so the rule cannot be judged."""


@dataclass
class Sources:
    """Reads one window; `groups` gives error-group changes since a time, `marts` a connection.

    `hours` holds what seasonal rules saw; `unjudged` is why the rule at hand could not judge some
    series, empty when it could.
    """

    window: HotTables
    groups: Callable[[datetime], Sequence[GroupChange]] | None = None
    marts: Callable[[], duckdb.DuckDBPyConnection] | None = None
    hours: Hours = field(default_factory=Hours)
    unjudged: str = ""
    _matching: Matching = field(default_factory=dict)

    def for_one_look(self) -> "Sources":
        """The same, for rules that are judged together: what one has asked the next is told."""
        groups = cache(self.groups) if self.groups else None
        return replace(self, window=OneLook(self.window), groups=groups, unjudged="")

    def vector(self, select: Select, at: datetime, *, worst: str = "max") -> Vector:
        """One value per set of labels at a time; `worst` folds series that share their labels."""
        if select.fact:
            rows = read_fact(self.window, select, at)
            return folded([row for row in rows if matches(select.where, row[0])], select, worst)
        metrics = Metrics(self.window, self._matching)
        return folded(metrics.values(select, at), select, worst)

    def history(self, select: Select, at: datetime) -> dict[Labels, tuple[np.ndarray, np.ndarray]]:
        """Times (seconds before `at`, negative) and values of gauges, by labels."""
        return Metrics(self.window, self._matching).history(select, at)

    def uses(self) -> frozenset[tuple[str, str]]:
        """Which component uses which dependency, as the window shows."""
        return frozenset(uses(self.window))

    def minutes(
        self, at: datetime, over: Any, *, is_going_on: bool = False
    ) -> dict[tuple[str, str], tuple[int, int]]:
        """Bad and all events by component and source; without history when it is asked what goes on."""
        return bad_and_total(self.window, at, over, with_past=not is_going_on)

    def known_since(self, at: datetime) -> dict[str, datetime]:
        """When each component was first heard of, by the clock of the receiver."""
        return known_since(self.window, at)

    def sql(self, rule: Sql, at: datetime) -> Rows:
        """Rows of an SQL rule ($now is `at`).

        Raises LookupError without the marts that it asks, OverflowError for more than `max_rows` rows,
        and duckdb.InterruptException after `max_s` seconds.
        """
        if rule.source == "marts":
            if self.marts is None:
                raise LookupError("no marts")
            con = self.marts()
        else:
            con = self.window.cursor(*tables_in(rule.query))
        timer = threading.Timer(rule.max_s, con.interrupt)
        timer.start()
        try:
            result = con.execute(rule.query, {"now": at} if "$now" in rule.query else None)
            names = [column[0] for column in result.description or []]
            rows = result.fetchmany(rule.max_rows + 1)
        finally:
            timer.cancel()
            con.close()
        if len(rows) > rule.max_rows:
            raise OverflowError("too many rows")
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [
            ({name: str(row[name]) for name in rule.labels}, float(row["value"]))
            for row in found
            if row["value"] is not None
        ]


def group_changes(window: Window, since: datetime) -> list[GroupChange]:
    """Error groups that became new, regressed or escalating since a time (UTC without zone)."""
    now = window.now()
    if not window.has("hot_error_groups"):
        return []
    cursor = window.cursor("hot_error_groups")
    try:
        minutes = max(int((now - since).total_seconds() / 60), 1)
        found = window.errors.noteworthy(cursor, now, minutes=minutes)
    finally:
        cursor.close()
    return [
        GroupChange(
            group.state.value,
            {**{k: v for k, v in group.labels if v and k != "severity"}, "group": group.key},
            since=_utc(group.since),
            error=group.title,
            place=next(iter(group.top_frames), ""),
            count=group.count,
        )
        for group in found
        if _utc(group.since) >= since
    ]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
