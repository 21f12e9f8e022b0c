"""What a pass sees of the lake: the rows that nobody has built yet, as views of schema `landed`.

Here: which files those are, by signal and part; the minutes and hours they touch; errors grouped as the
live tail groups them. Not here: models (`dbt/`), the catalog (`ingestion/lake/catalog`).

A pass reads the files that came after the one before. Hours in which rows went or were altered, and
hours that changed though they are older than `PART_HOURS`, are read whole, as part 0. Counters need the
point before: `metric_points_context` reaches back for that, and forward to the next point.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from duckdb import DuckDBPyConnection

from dagster_project.marts.landed_patterns import log_patterns
from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog, DirtyHour, LakeFile
from ingestion.lake.duck import add_file_keys
from ingestion.lake.partitions import empty_select, scan
from ingestion.meaning.errors.batch import error_rows, hours_to_count
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.meaning.errors.grouping import load_site
from ingestion.settings import Settings
from privacy.keys.store import KeyStore

PART_HOURS = 24
"""Hours of which aggregates by part are kept; an older hour is built whole when it changes."""

LAYOUT = 4
"""Raised when aggregates by part or marts change their columns."""

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
# A counter that says nothing for longer starts anew.
_REACH = timedelta(hours=1)
Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Changes:
    """What awaits a build; `horizon` is the oldest hour that is built by parts."""

    hours: tuple[DirtyHour, ...]
    horizon: datetime

    @classmethod
    def of(cls, catalog: Catalog, now: datetime, *, is_everything: bool) -> "Changes":
        """The hours that changed, or all that the lake holds."""
        hours = all_hours(catalog) if is_everything else catalog.dirty_hours()
        horizon = now.replace(minute=0, second=0, microsecond=0) - PART_HOURS * _HOUR
        return cls(tuple(hours), horizon)

    def is_whole(self, hour: DirtyHour) -> bool:
        """Whether all rows of an hour are read."""
        return hour.since == 0 or hour.hour_at < self.horizon

    def whole(self, signal: str) -> list[datetime]:
        """The hours of a signal that are read whole."""
        return [h.hour_at for h in self.hours if h.signal == signal and self.is_whole(h)]

    def files(self, catalog: Catalog, signal: str) -> dict[int, list[LakeFile]]:
        """The files to read, by the part that their rows count under."""
        found: dict[int, list[LakeFile]] = {}
        for hour in self.hours:
            if hour.signal != signal:
                continue
            is_whole = self.is_whole(hour)
            for file in catalog.files(signal, [hour.hour_at]):
                if is_whole or file.plan >= hour.since:
                    found.setdefault(0 if is_whole else file.plan, []).append(file)
        return found


def reopen_after_upgrade(catalog: Catalog, now: datetime) -> None:
    """Marts of an older layout have no parts of the hours that are built by parts: make them anew."""
    if catalog.layout("marts") != LAYOUT:
        catalog.reopen_since(now.replace(minute=0, second=0, microsecond=0) - PART_HOURS * _HOUR)


def all_hours(catalog: Catalog) -> list[DirtyHour]:
    """Every hour that the lake holds, to be built whole."""
    hours = {(f.signal, f.hour_at) for signal in LANDED for f in catalog.files(signal)}
    return [DirtyHour(signal, hour_at, 0) for signal, hour_at in sorted(hours)]


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
    opened = _Opened(con, settings, keys, catalog)
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
    _open_errors(opened, changes, now)
    catalog.close()
    return list(changes.hours)


@dataclass(frozen=True)
class _Opened:
    """A connection on which schema `landed` is being made."""

    con: DuckDBPyConnection
    settings: Settings
    keys: KeyStore
    catalog: Catalog

    def view(
        self,
        name: str,
        signal: str,
        files: dict[int, list[LakeFile]] | dict[int | None, list[LakeFile]],
    ) -> None:
        """View `landed.<name>` over files, each row with its part."""
        selects = []
        for part, some in files.items():
            add_file_keys(self.con, self.keys, some)
            told = "NULL" if part is None else part
            selects.append(f"SELECT *, {told}::BIGINT AS part FROM ({scan(self.settings, some)})")
        empty = f"SELECT *, NULL::BIGINT AS part FROM ({empty_select(signal)})"
        select = " UNION ALL BY NAME ".join(selects) or empty
        self.con.execute(f"CREATE OR REPLACE VIEW landed.{name} AS {select}")

    def rows(self, name: str, columns: dict[str, pa.Array] | pa.Table) -> None:
        """Table `landed.<name>` of these rows."""
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        self.con.register("rows_now", table)
        self.con.execute(f"CREATE OR REPLACE TABLE landed.{name} AS SELECT * FROM rows_now")
        self.con.unregister("rows_now")

    def minutes(self, signal: str, time: str) -> set[datetime]:
        """The minutes of the new rows."""
        sql = f"SELECT DISTINCT date_trunc('minute', {time}) FROM landed.{signal}"
        return {minute for (minute,) in self.con.execute(sql).fetchall()}

    def bounds(self, signal: str, time: str) -> list[Interval]:
        """First and last time of the new rows, hour by hour."""
        sql = f"SELECT min({time}), max({time}) FROM landed.{signal} GROUP BY date_trunc('hour', {time})"
        return [(low, high) for low, high in self.con.execute(sql).fetchall()]


def _open_before(opened: _Opened, changes: Changes, parts: Iterable[int]) -> None:
    """View `landed.spans_before`: what the pass before landed in the hours that change now.

    A trace whose spans came in two passes is whole with it, and a pass still costs what arrived.
    """
    whole = set(changes.whole("spans"))
    changed = {h.hour_at for h in changes.hours if h.signal == "spans"} - whole
    hours = sorted(changed | {hour - _HOUR for hour in changed})
    files = [f for f in opened.catalog.files("spans", hours) if f.plan and f.hour_at not in whole]
    first = min(parts, default=0)
    last = max((f.plan for f in files if f.plan < first), default=0)
    before: dict[int | None, list[LakeFile]] = {None: [f for f in files if f.plan == last and last]}
    opened.view("spans_before", "spans", before if before[None] else {})


def _open_minutes(opened: _Opened, changes: Changes) -> None:
    """Table `landed.touched_minutes`, and the metric points that those of them need."""
    spans = opened.minutes("spans", "start_at") | set(_minutes_of(changes.whole("spans")))
    logs = opened.minutes("logs", "event_at") | set(_minutes_of(changes.whole("logs")))
    dirty = {h.hour_at for h in changes.hours if h.signal == "metric_points"}
    reach = [(low, high + _REACH) for low, high in opened.bounds("metric_points", "event_at")]
    reach += [(hour, hour + _HOUR + _REACH) for hour in changes.whole("metric_points")]
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


def _open_errors(opened: _Opened, changes: Changes, now: datetime) -> None:
    """Tables `landed.error_occurrences`, `error_hours`, `error_parts` and `error_states`.

    A rule by hand or a version that the marts were not built with reopens every hour.
    """
    settings, catalog = opened.settings, opened.catalog
    store = ErrorStore(settings.home, opened.keys)
    version, rules = settings.errors.grouping_version, store.hand_rules()
    if store.rules_to_build(version) != store.built_rules():
        changes = Changes(tuple(all_hours(catalog)), changes.horizon)
    whole = hours_to_count(changes.whole("spans"), changes.whole("logs"))
    parts, hours = _error_files(opened, changes, whole)
    site = load_site(settings.home / "errors.yaml")
    records = store.groups()
    opened.rows(
        "error_occurrences", error_rows(opened.con, site=site, rules=rules, version=version)
    )
    opened.rows("error_parts", {"part": pa.array(sorted(parts), pa.int64())})
    opened.rows(
        "error_hours",
        {
            "hour_at": pa.array(sorted(hours | set(whole)), pa.timestamp("us")),
            "is_whole": pa.array([h in whole for h in sorted(hours | set(whole))], pa.bool_()),
        },
    )
    opened.rows(
        "error_states",
        {
            "group_key": pa.array([r.key for r in records], pa.string()),
            "state": pa.array([r.state(now).value for r in records], pa.string()),
            "resolved_in": pa.array([r.resolved_in for r in records], pa.string()),
        },
    )


def _error_files(
    opened: _Opened, changes: Changes, whole: Sequence[datetime]
) -> tuple[set[int], set[datetime]]:
    """Views `landed.error_spans` and `error_logs`; the parts counted, and the hours that may change.

    A span's exception may be told again by a log record of the hour after.
    """
    parts: set[int] = set()
    hours: set[datetime] = set()
    for signal in ("spans", "logs"):
        files: dict[int | None, list[LakeFile]] = {}
        for part, some in changes.files(opened.catalog, signal).items():
            new = [f for f in some if part and f.hour_at not in whole]
            if new:
                files[part] = new
                parts.add(part)
                hours |= {f.hour_at for f in new}
                hours |= {f.hour_at + _HOUR for f in new if signal == "spans"}
        before = [] if signal == "logs" else [h - _HOUR for h in whole if h - _HOUR not in whole]
        for part, wanted in ((0, whole), (None, before)):
            found = opened.catalog.files(signal, list(wanted))
            if found:
                files.setdefault(part, []).extend(found)
        opened.view(f"error_{signal}", signal, files)
    return parts, hours


def _between(catalog: Catalog, intervals: Iterable[Interval]) -> list[LakeFile]:
    """Files of metric points that may hold a point in one of the intervals."""
    found: dict[str, LakeFile] = {}
    for low, high in merged(intervals):
        first = low.replace(minute=0, second=0, microsecond=0)
        hours = [first + n * _HOUR for n in range(int((high - first) / _HOUR) + 1)]
        for file in catalog.files("metric_points", hours):
            starts, ends = file.first_at or file.hour_at, file.last_at or file.hour_at + _HOUR
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
    return (first + n * _MINUTE for n in range(int((high - first) / _MINUTE) + 1))


def _minutes_of(hours: Iterable[datetime]) -> Iterable[datetime]:
    return (hour + n * _MINUTE for hour in hours for n in range(60))
