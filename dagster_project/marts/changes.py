"""What a build covers: the hours that changed, their files by part, and the schema it sees them in.

Here: which files are read, whole or by part, and making views and tables of them. Not here: what stands in
those (`landed`, `landed_errors`), the catalog (`ingestion/lake/catalog`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
from duckdb import DuckDBPyConnection

from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog, DirtyHour, LakeFile
from ingestion.lake.duck import add_file_keys
from ingestion.lake.partitions import empty_select, scan
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore

PART_HOURS = 24
"""Hours of which aggregates by part are kept; an older hour is built whole when it changes."""
LAYOUT = 4
"""Raised when aggregates by part or marts change their columns."""
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
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
        horizon = now.replace(minute=0, second=0, microsecond=0) - PART_HOURS * HOUR
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
        catalog.reopen_since(now.replace(minute=0, second=0, microsecond=0) - PART_HOURS * HOUR)


def all_hours(catalog: Catalog) -> list[DirtyHour]:
    """Every hour that the lake holds, to be built whole."""
    hours = {(f.signal, f.hour_at) for signal in LANDED for f in catalog.files(signal)}
    return [DirtyHour(signal, hour_at, 0) for signal, hour_at in sorted(hours)]


@dataclass(frozen=True)
class Opened:
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
