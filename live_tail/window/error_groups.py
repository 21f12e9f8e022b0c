"""Error groups as they happen: hot counts by group, and the groups somebody should hear of.

Here: tables of the hot window that are fed with its fresh rows, the durable records behind them, and
`noteworthy`, which alert rules of kind *error group* read each round. Not here: how errors are found
and grouped (`ingestion/meaning/errors`, shared with the batch).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from ingestion.meaning.errors.error_records import Grouped, Occurrence
from ingestion.meaning.errors.group_states import GroupRecord, State
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.meaning.errors.grouping import CURRENT, Site, group
from ingestion.meaning.errors.hand_rules import HandRules
from ingestion.meaning.errors.occurrences import once_key, once_rank
from live_tail.window.rows.arrow_columns import Rows
from live_tail.window.rows.error_rows import as_rows, occurrences

SCHEMA = """
CREATE TABLE hot_error_groups (
    bucket_at TIMESTAMP, event_at TIMESTAMP, group_key VARCHAR, component VARCHAR, version VARCHAR,
    environment VARCHAR, route VARCHAR, therapeutic_area VARCHAR, session VARCHAR, title VARCHAR,
    exception_type VARCHAR, culprit VARCHAR, rule VARCHAR, explanation VARCHAR, stack VARCHAR,
    message VARCHAR, breadcrumbs VARCHAR[], trace_id VARCHAR, severity VARCHAR,
    is_content_delivery BOOLEAN, once VARCHAR);
"""
_Rank = tuple[bool, datetime, tuple[str, ...]]


@dataclass(frozen=True)
class NoteworthyGroup:
    """A new, regressed or escalating group, as alert rules read it.

    `labels` always has `component`, `environment`, `severity` and `is_content_delivery`
    (`true`/`false`), sorted by name; `count` is what the last `minutes` held; the top frame is our
    own innermost one, without any the route.
    """

    key: str
    state: State
    title: str
    component: str
    since: datetime
    count: int
    labels: tuple[tuple[str, str], ...]
    top_frames: tuple[str, ...] = ()
    trace_id: str | None = None


class HotErrors:
    """Feeds the hot error tables and the store; one per window."""

    def __init__(
        self,
        store: ErrorStore | None = None,
        *,
        site: Callable[[], Site] = Site,
        version: str = CURRENT,
    ) -> None:
        self._store, self._site, self._version = store, site, version
        self._tested_at: datetime | None = None
        self._rules = HandRules()
        # Of each exception that several rows may tell of: the rank of the telling that counts.
        self._told: dict[str, _Rank] = {}
        self._telling: dict[str, _Rank] = {}

    def tables(
        self, con: Callable[[], duckdb.DuckDBPyConnection], signal: str, rows: Rows
    ) -> Iterator[tuple[str, pa.Table]]:
        """Group the errors among new rows (columns of the signal, and `batch_seq`).

        `con` gives a connection that sees every row taken in before. What is found counts as told once
        `taken` says so: a round that fails in between is tried again.
        """
        self._telling = {}
        found = list(occurrences(signal, rows))
        if not found:
            return
        rules, site = self._follow_rules(con), self._site()
        seen: list[tuple[int, str, Grouped, Occurrence]] = []
        fresh, marks = self._once(found)
        for seq, occurrence in fresh:
            grouped = group(occurrence, site, self._version)
            key = rules.apply(grouped.key, occurrence)
            seen.append((seq, key, grouped, occurrence))
        first_told = [told for told in seen if once_key(told[3]) not in self._told]
        if first_told and self._store:
            self._store.observe(signal, max(seq for seq, *_ in first_told), first_told)
        better = sorted(marks.keys() & self._told.keys())
        if better:
            con().execute("DELETE FROM hot_error_groups WHERE list_contains(?, once)", [better])
        self._telling = marks
        if seen:
            yield "hot_error_groups", as_rows(seen)

    def taken(self) -> None:
        """The window holds what `tables` found last."""
        self._told |= self._telling
        self._telling = {}

    def _once(
        self, found: Sequence[tuple[int, Occurrence]]
    ) -> tuple[list[tuple[int, Occurrence]], dict[str, _Rank]]:
        """Without what another row tells better of the same exception, and the ranks of what is told."""
        fresh: list[tuple[int, Occurrence]] = []
        marks: dict[str, _Rank] = {}
        for seq, occurrence in sorted(found, key=lambda told: once_rank(told[1])):
            key, rank = once_key(occurrence), once_rank(occurrence)
            if key is None:
                fresh.append((seq, occurrence))
            elif key not in marks and (key not in self._told or rank < self._told[key]):
                fresh.append((seq, occurrence))
                marks[key] = rank
        return fresh, marks

    def forget(self, before: datetime) -> None:
        """Exceptions of before a time are not told of again."""
        self._told = {key: rank for key, rank in self._told.items() if rank[1] >= before}

    def reset(self) -> None:
        """Know of none."""
        self._told.clear()
        self._telling = {}

    def _follow_rules(self, con: Callable[[], duckdb.DuckDBPyConnection]) -> HandRules:
        """The rules by hand; a new merge also moves what the window holds already."""
        rules = self._store.hand_rules() if self._store else HandRules()
        for key in set(rules.merges) - set(self._rules.merges):
            values = [rules.target(key), key]
            con().execute("UPDATE hot_error_groups SET group_key = ? WHERE group_key = ?", values)
        self._rules = rules
        return rules

    def test_escalation(self, now: datetime) -> None:
        """Once a minute: which groups have more errors than their history explains."""
        if self._store is None or (
            self._tested_at and now - self._tested_at < timedelta(minutes=1)
        ):
            return
        self._tested_at = now
        self._store.find_escalating(now)

    def noteworthy(
        self, con: duckdb.DuckDBPyConnection, now: datetime, *, minutes: int = 15
    ) -> tuple[NoteworthyGroup, ...]:
        """New, regressed and escalating groups with an occurrence in the last `minutes`.

        `now` is UTC without zone, `con` a cursor of the window. Muted and resolved groups never.
        """
        if self._store is None:
            return ()
        since = now - timedelta(minutes=minutes)
        recent = {key: _Recent(*rest) for key, *rest in con.execute(_RECENT, [since]).fetchall()}
        known = {r.key: r for r in self._store.groups(since=since) if r.key in recent}
        found = [
            _noteworthy(record, record.state(now), recent[key]) for key, record in known.items()
        ]
        told = {State.NEW, State.REGRESSED, State.ESCALATING}
        return tuple(sorted((g for g in found if g.state in told), key=lambda g: g.key))


_RECENT = """
    SELECT group_key, count(*), bool_or(is_content_delivery), max_by(trace_id, event_at),
        max_by(route, event_at)
    FROM hot_error_groups WHERE event_at >= ? GROUP BY 1
"""


@dataclass(frozen=True)
class _Recent:
    count: int
    is_content: bool
    trace_id: str | None
    route: str | None


def _noteworthy(record: GroupRecord, state: State, recent: _Recent) -> NoteworthyGroup:
    since = {
        State.REGRESSED: record.regressed_at,
        State.ESCALATING: record.escalating_at,
    }.get(state) or record.first_seen_at
    place = record.culprit or recent.route
    labels = {
        "component": record.component,
        "environment": record.environment or "",
        "severity": record.severity,
        "is_content_delivery": str(recent.is_content).lower(),
    }
    return NoteworthyGroup(
        key=record.key,
        state=state,
        title=record.title,
        component=record.component,
        since=since,
        count=recent.count,
        labels=tuple(sorted(labels.items())),
        top_frames=(place,) if place else (),
        trace_id=recent.trace_id,
    )
