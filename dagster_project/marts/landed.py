"""What a pass sees of the lake: the rows that nobody has built yet, as views of schema `landed`.

Here: the views, and the minutes they touch. Not here: which files those are (`changes`), errors grouped as
the live tail groups them (`landed_errors`), models (`dbt/`).

A pass reads the files that came after the one before. Hours in which rows went or were altered, and
hours that changed though they are older than `PART_HOURS`, are read whole, as part 0. Counters need the
point before: `metric_points_context` reaches back for that, and forward to the next point.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from duckdb import DuckDBPyConnection

from dagster_project.marts.changes import HOUR, MINUTE, Changes, Interval, Opened
from dagster_project.marts.landed_errors import open_errors
from dagster_project.marts.landed_patterns import log_patterns
from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog, DirtyHour, LakeFile
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore

# A counter that says nothing for longer starts anew.
_REACH = timedelta(hours=1)


def open_landed(
    con: DuckDBPyConnection,
    settings: Settings,
    *,
    is_full_refresh: bool,
    now: datetime | None = None,
) -> list[DirtyHour]:
    """Views `landed.<signal>` with column `part`, and what they touch; returns the hours covered."""
    keys = KeyStore.open(settings.home)
    catalog = Catalog(settings.lake_path)
    now = now or datetime.now(UTC).replace(tzinfo=None)
    changes = Changes.of(catalog, now, is_everything=is_full_refresh)
    opened = Opened(con, settings, keys, catalog)
    con.execute("CREATE SCHEMA IF NOT EXISTS landed")
    parts: set[int] = set()
    for signal in LANDED:
        files = changes.files(catalog, signal)
        parts |= files.keys() - {0}
        opened.view(signal, signal, files)
    opened.rows("new_parts", {"part": pa.array(sorted(parts), pa.int64())})
    opened.rows("horizon", {"part_horizon_at": pa.array([changes.horizon], pa.timestamp("us"))})
    opened.rows(
        "dirty_hours",
        {
            "signal": pa.array([h.signal for h in changes.hours], pa.string()),
            "hour_at": pa.array([h.hour_at for h in changes.hours], pa.timestamp("us")),
            "is_whole": pa.array([changes.is_whole(h) for h in changes.hours], pa.bool_()),
        },
    )
    _open_before(opened, changes, parts)
    opened.rows("log_patterns", log_patterns(con))
    _open_minutes(opened, changes)
    open_errors(opened, changes, now)
    catalog.close()
    return list(changes.hours)


def _open_before(opened: Opened, changes: Changes, parts: Iterable[int]) -> None:
    """View `landed.spans_before`: what the pass before landed in the hours that change now.

    A trace whose spans came in two passes is whole with it, and a pass still costs what arrived.
    """
    whole = set(changes.whole("spans"))
    changed = {h.hour_at for h in changes.hours if h.signal == "spans"} - whole
    hours = sorted(changed | {hour - HOUR for hour in changed})
    files = [f for f in opened.catalog.files("spans", hours) if f.plan and f.hour_at not in whole]
    first = min(parts, default=0)
    last = max((f.plan for f in files if f.plan < first), default=0)
    before: dict[int | None, list[LakeFile]] = {None: [f for f in files if f.plan == last and last]}
    opened.view("spans_before", "spans", before if before[None] else {})


def _open_minutes(opened: Opened, changes: Changes) -> None:
    """Table `landed.touched_minutes`, and the metric points that those of them need."""
    spans = opened.minutes("spans", "start_at") | set(_minutes_of(changes.whole("spans")))
    logs = opened.minutes("logs", "event_at") | set(_minutes_of(changes.whole("logs")))
    dirty = {h.hour_at for h in changes.hours if h.signal == "metric_points"}
    reach = [(low, high + _REACH) for low, high in opened.bounds("metric_points", "event_at")]
    reach += [(hour, hour + HOUR + _REACH) for hour in changes.whole("metric_points")]
    # What came late also changes what the next point gained; an hour whose parts are gone stays.
    points = {
        minute
        for low, high in merged(reach)
        for minute in _minutes_between(low, high)
        if minute >= changes.horizon or minute.replace(minute=0) in dirty
    }
    touched = {
        "spans": spans,
        "logs": logs,
        "recent_spans": {m for m in spans if m >= changes.horizon},
        "metric_points": points,
    }
    pairs = [(signal, minute) for signal, some in touched.items() for minute in sorted(some)]
    opened.rows(
        "touched_minutes",
        {
            "signal": pa.array([signal for signal, _ in pairs], pa.string()),
            "minute_at": pa.array([minute for _, minute in pairs], pa.timestamp("us")),
        },
    )
    files = _between(opened.catalog, [(low - _REACH, high) for low, high in merged(reach)])
    opened.view("metric_points_context", "metric_points", {0: files} if files else {})


def _between(catalog: Catalog, intervals: Iterable[Interval]) -> list[LakeFile]:
    """Files of metric points that may hold a point in one of the intervals."""
    found: dict[str, LakeFile] = {}
    for low, high in merged(intervals):
        first = low.replace(minute=0, second=0, microsecond=0)
        hours = [first + n * HOUR for n in range(int((high - first) / HOUR) + 1)]
        for file in catalog.files("metric_points", hours):
            starts, ends = file.first_at or file.hour_at, file.last_at or file.hour_at + HOUR
            if starts <= high and ends >= low:
                found[file.path] = file
    return list(found.values())


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals that do not touch, in order."""
    done: list[Interval] = []
    for low, high in sorted(intervals):
        if done and low <= done[-1][1]:
            done[-1] = (done[-1][0], max(done[-1][1], high))
        else:
            done.append((low, high))
    return done


def _minutes_between(low: datetime, high: datetime) -> Iterable[datetime]:
    first = low.replace(second=0, microsecond=0)
    return (first + n * MINUTE for n in range(int((high - first) / MINUTE) + 1))


def _minutes_of(hours: Iterable[datetime]) -> Iterable[datetime]:
    return (hour + n * MINUTE for hour in hours for n in range(60))
