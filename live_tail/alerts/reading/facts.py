"""Facts of the hot window that rules select: one value per set of labels.

Here: what was counted, failures, availability, who uses what. Not here: what is down (`outages`), metrics by
name (`metrics`), what names mean (`ingestion/meaning/signals.yaml`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from ingestion.meaning.histograms import at_most, milliseconds
from ingestion.meaning.signals import load_signals
from live_tail.alerts.reading.hot_tables import HotTables, Rows, asked
from live_tail.alerts.reading.outages import CALLED, HEARD, PROBED, dependency_down, named
from live_tail.alerts.reading.selecting import FACTS, Select

_S = load_signals()
_COUNTED = {
    "requests": ("hot_requests", "request_count"),
    "db_operations": ("hot_db_operations", "operation_count"),
    "ai_calls": ("hot_ai_calls", "call_count"),
}
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


def read_fact(tables: HotTables, select: Select, at: datetime) -> Rows:
    """Values of a fact by its labels; raises ValueError for a value the fact does not have."""
    if select.fact in _COUNTED:
        return _counted(tables, select, at)
    if select.fact == "dropped_points":
        count = tables.points.dropped(at - select.over, at)
        return [({"reason": "too_many_series"}, float(count))]
    readers: dict[str, Callable[[], Rows]] = {
        "failures": lambda: _failures(tables, select, at),
        "dependency_down": lambda: dependency_down(tables, at),
        "service_down": lambda: named(tables, PROBED, "component", at=at, kind="tta_service_up"),
        "not_ready": lambda: named(tables, PROBED, "component", at=at, kind="route"),
        "silent": lambda: named(tables, HEARD, "component", at=at),
        "availability": lambda: _availability(tables, select, at),
    }
    return readers[select.fact]()


def uses(tables: HotTables) -> list[tuple[str, str]]:
    """Which component uses which dependency."""
    return [(c, d) for c, d in asked(tables, CALLED, _USES, [])]


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
