"""Facts of the hot window that rules select: one value per set of labels.

Here: SQL over the window's tables. Not here: metrics by name (`sources`), what names mean
(`ingestion/meaning/signals.yaml`), conditions (`evaluate`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import duckdb

from ingestion.meaning.histograms import at_most, milliseconds
from ingestion.meaning.signals import load_signals
from live_tail.alerts.rules.spec import FACTS, Select
from live_tail.window.points import Points

Rows = list[tuple[dict[str, str], float]]
_S = load_signals()
_COUNTED = {
    "requests": ("hot_requests", "request_count"),
    "db_operations": ("hot_db_operations", "operation_count"),
    "ai_calls": ("hot_ai_calls", "call_count"),
}
# A probe is believed for three minutes, an unreachable dependency for 90 s without news. Counters of
# checks and calls speak by how they grew up to their newest point; one that its siblings were there
# before began at zero.
_DEPENDENCY_DOWN = """
WITH probes AS (
    SELECT dependency, bool_or(NOT is_up) AS is_down FROM (
        SELECT dependency, target, component, kind, max_by(is_up, event_at) AS is_up
        FROM hot_probes
        WHERE dependency IS NOT NULL AND event_at > $at - INTERVAL 3 MINUTES AND event_at <= $at
        GROUP BY ALL
    ) GROUP BY dependency
),
calls AS (
    SELECT dependency, address, sum(bad) AS bad, sum(probes_bad) AS probes_bad,
        max(last_good_at) AS good_at, max(last_bad_at) AS bad_at,
        sum(bad) FILTER (WHERE bucket_at > $at - INTERVAL 30 SECONDS) AS bad_now,
        sum(good) FILTER (WHERE bucket_at > $at - INTERVAL 30 SECONDS) AS good_now
    FROM hot_dependency_calls WHERE bucket_at > $at - INTERVAL 90 SECONDS AND bucket_at <= $at
    GROUP BY dependency, address
),
judged AS (
    SELECT dependency, bool_or(
        (bad_at > coalesce(CASE WHEN address = '' THEN any_good_at ELSE good_at END, 'epoch'::TIMESTAMP)
            AND (bad >= 2 OR probes_bad >= 1))
        OR (bad_now >= 5 AND bad_now >= good_now)) AS is_down
    FROM (SELECT *, max(good_at) OVER (PARTITION BY dependency) AS any_good_at FROM calls)
    GROUP BY dependency
),
steps AS (
    SELECT *, lag(n) OVER one AS before, lag(event_at) OVER one AS before_at,
        min(event_at) OVER (PARTITION BY target, component) AS born_at
    FROM hot_checks WHERE event_at > $at - INTERVAL 15 MINUTES AND event_at <= $at
    WINDOW one AS (PARTITION BY series ORDER BY event_at)
),
grown AS (
    SELECT dependency, target, component, event_at, is_bad, least, CASE
        WHEN is_delta OR n < before OR start_at > before_at THEN n
        WHEN before IS NOT NULL THEN n - before
        WHEN born_at < event_at THEN n ELSE 0 END AS n
    FROM steps
),
checks AS (
    SELECT dependency, target, component, event_at, max(least) AS least,
        coalesce(sum(n) FILTER (WHERE is_bad), 0) AS bad,
        coalesce(sum(n) FILTER (WHERE NOT is_bad), 0) AS good
    FROM grown WHERE n > 0 AND event_at > $at - INTERVAL 3 MINUTES
    GROUP BY dependency, target, component, event_at
    QUALIFY row_number() OVER (PARTITION BY dependency, target, component ORDER BY event_at DESC) = 1
),
checked AS (
    SELECT dependency, bool_or(bad >= least AND bad >= good) AS is_down FROM checks GROUP BY dependency
)
SELECT dependency, max(coalesce(is_down, false)::INTEGER)
FROM (FROM probes UNION ALL FROM judged UNION ALL FROM checked) GROUP BY dependency
"""
# Without anything bad within these times the question above has this answer.
_ANYTHING_BAD = """
SELECT dependency, max(bad) FROM (
    SELECT dependency, (NOT is_up)::INTEGER AS bad FROM hot_probes
    WHERE dependency IS NOT NULL AND event_at > $at - INTERVAL 3 MINUTES AND event_at <= $at
    UNION ALL
    SELECT dependency, (bad > 0 OR probes_bad > 0)::INTEGER FROM hot_dependency_calls
    WHERE bucket_at > $at - INTERVAL 90 SECONDS AND bucket_at <= $at
) GROUP BY dependency
"""
_SERVICE_DOWN = """
SELECT target, max((NOT is_up)::INTEGER) FROM (
    SELECT target, component, max_by(is_up, event_at) AS is_up FROM hot_probes
    WHERE kind = $kind AND dependency IS NULL AND event_at > $at - INTERVAL 3 MINUTES
        AND event_at <= $at
    GROUP BY ALL
) GROUP BY target
"""
_SPORADIC = ", ".join(f"'{name}'" for name in _S.sporadic_components)
_SILENT = f"""
SELECT component, date_diff('second', max(last_at), $at)
FROM hot_sightings WHERE component NOT IN ({_SPORADIC}) AND NOT is_history
GROUP BY component HAVING count(DISTINCT date_trunc('minute', received_at)) >= 5
"""
# Who fails with a dependency: what calls it, what says so in its readiness, and what probes of the
# dependency itself are counted under.
_USES = """
SELECT DISTINCT component, dependency FROM hot_dependency_calls
UNION SELECT component, dependency FROM hot_probes WHERE kind = 'route' AND dependency IS NOT NULL
UNION SELECT target, dependency FROM hot_probes WHERE kind = 'tta_service_up' AND dependency IS NOT NULL
"""
# What the window holds says when it was received; minutes that are older were received long ago, and
# what only a probe speaks of has nothing but its minutes.
_KNOWN_SINCE = """
WITH heard AS (
    SELECT component, min(received_at) AS since_at FROM hot_sightings GROUP BY 1
)
SELECT component, min(since_at) FROM (
    FROM heard
    UNION ALL
    SELECT component, min(minute_at) FROM hot_minutes
    WHERE minute_at < $at - INTERVAL 1 HOUR OR component NOT IN (SELECT component FROM heard)
    GROUP BY 1
) GROUP BY 1
"""
_WITHOUT_PAST = """
FROM (FROM hot_minutes
    UNION ALL SELECT bucket_at, component, source, -good, -total FROM hot_past_minutes)
"""


_CALLED = ("hot_dependency_calls", "hot_probes")
_BAD = (_ANYTHING_BAD, _CALLED)
_DOWN = (_DEPENDENCY_DOWN, (*_CALLED, "hot_checks"))
_PROBED = (_SERVICE_DOWN, ("hot_probes",))
_HEARD = (_SILENT, ("hot_sightings",))


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


def read_fact(tables: HotTables, select: Select, at: datetime) -> Rows:
    """Values of a fact by its labels; raises ValueError for a value the fact does not have."""
    if select.fact in _COUNTED:
        return _counted(tables, select, at)
    if select.fact == "dropped_points":
        count = tables.points.dropped(at - select.over, at)
        return [({"reason": "too_many_series"}, float(count))]
    readers: dict[str, Callable[[], Rows]] = {
        "failures": lambda: _failures(tables, select, at),
        "dependency_down": lambda: _dependency_down(tables, at),
        "service_down": lambda: _named(tables, _PROBED, "component", at=at, kind="tta_service_up"),
        "not_ready": lambda: _named(tables, _PROBED, "component", at=at, kind="route"),
        "silent": lambda: _named(tables, _HEARD, "component", at=at),
        "availability": lambda: _availability(tables, select, at),
    }
    return readers[select.fact]()


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


def uses(tables: HotTables) -> list[tuple[str, str]]:
    """Which component uses which dependency."""
    return [(c, d) for c, d in asked(tables, _CALLED, _USES, [])]


def known_since(tables: HotTables, at: datetime) -> dict[str, datetime]:
    """When each component was first heard of, by the clock of the receiver."""
    return dict(asked(tables, ("hot_sightings", "hot_minutes"), _KNOWN_SINCE, {"at": at}))


def bad_and_total(
    tables: HotTables, at: datetime, over: timedelta, *, with_past: bool = True
) -> dict[tuple[str, str], tuple[int, int]]:
    """Bad and all events by component and source in the minutes that `over` reaches back.

    Without the past: less what arrived as history (`live_tail/window/history`) within the window.
    """
    counted = "FROM hot_minutes" if with_past else _WITHOUT_PAST
    rows = asked(
        tables,
        ("hot_minutes", "hot_past_minutes"),
        f"SELECT component, source, sum(total - good)::BIGINT, sum(total)::BIGINT {counted}"
        " WHERE minute_at > ? AND minute_at <= ? GROUP BY 1, 2",
        [at - over, at],
    )
    return {(component, source): (bad, total) for component, source, bad, total in rows}


def _availability(tables: HotTables, select: Select, at: datetime) -> Rows:
    found = bad_and_total(tables, at - select.offset, select.over)
    return [
        (
            {"component": component, "source": source},
            float(total) if select.value == "count" else 100.0 * (total - bad) / total,
        )
        for (component, source), (bad, total) in found.items()
        if total
    ]


def _named(
    tables: HotTables, question: tuple[str, tuple[str, ...]], label: str, **bound: object
) -> Rows:
    sql, names = question
    return [({label: name}, float(v)) for name, v in asked(tables, names, sql, bound)]


def _dependency_down(tables: HotTables, at: datetime) -> Rows:
    """Whether each dependency is down; while all is well a fraction of the work tells so."""
    if not tables.has("hot_checks"):
        rows = _named(tables, _BAD, "dependency", at=at)
        if not any(value for _, value in rows):
            return rows
    return _named(tables, _DOWN, "dependency", at=at)


def _failures(tables: HotTables, select: Select, at: datetime) -> Rows:
    end = at - select.offset
    rows = tables.failures(end - select.over - timedelta(seconds=5), end)
    names = ("component", "route", "name", "exception_type", "area")
    per = select.over.total_seconds() if select.value == "rate" else 1.0
    found = [(dict(zip(names, row[:-1], strict=True)), float(row[-1]) / per) for row in rows]
    return [(labels | _unreachable(labels["exception_type"]), n) for labels, n in found]


def _unreachable(exception_type: str) -> dict[str, str]:
    """The dependency that could not be reached; a failure that names none has no such label."""
    named = _S.dependency_of_exception(exception_type)
    return {"dependency": named} if named and _S.is_unreachable(exception_type) else {}


def _counted(tables: HotTables, select: Select, at: datetime) -> Rows:
    table, count = _COUNTED[select.fact]
    end = at - select.offset
    names = sorted(FACTS[select.fact])
    kept = [
        name for name in names if select.by is None or name in select.by or name in select.where
    ]
    columns = "".join(f"{name}, " for name in kept)
    judged = " AND is_judged" if select.fact == "requests" else ""
    rows = asked(
        tables,
        (table,),
        f"SELECT {columns}log_bucket, sum({count}), sum(error_count), max(ms_max) FROM {table}"
        f" WHERE bucket_at > ? AND bucket_at <= ?{judged} GROUP BY ALL",
        [end - select.over, end],
    )
    cells: dict[tuple[str, ...], dict[int, _Counted]] = {}
    for *labels, bucket, n, errors, longest_ms in rows:
        key = tuple("" if label is None else str(label) for label in labels)
        cells.setdefault(key, {})[bucket] = float(n), float(errors), longest_ms
    found = []
    for key, buckets in cells.items():
        value = _counted_value(select, buckets)
        if value is not None:
            found.append((dict(zip(kept, key, strict=True)), value))
    return found


_Counted = tuple[float, float, float | None]
"""How many, how many of them failed, the longest in milliseconds."""


def _counted_value(select: Select, buckets: dict[int, _Counted]) -> float | None:
    total = sum(n for n, _, _ in buckets.values())
    errors = sum(e for _, e, _ in buckets.values())
    plain = {
        "count": total,
        "rate": total / select.over.total_seconds(),
        "errors": errors,
        "error_ratio": errors / total if total else None,
    }
    if select.value in plain:
        return plain[select.value]
    if not select.value.startswith("p"):
        raise ValueError(f"{select.fact} has no value {select.value}")
    rank, so_far = float(select.value[1:]) / 100 * total, 0.0
    for bucket in sorted(buckets):
        so_far += buckets[bucket][0]
        if so_far >= rank:
            longest = [ms for _, _, ms in buckets.values() if ms is not None]
            return at_most(milliseconds(bucket), max(longest, default=None))
    return None
