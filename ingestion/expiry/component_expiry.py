"""Single components that go earlier or later than the rest of their signal.

Here: finding the rows of whole days and writing what stays anew. Not here: the rules
(`privacy/retention`), partitions that go whole (`expiry`).

A day of a signal has one key, so removing some of its rows is not enough: a backup would still hold them
under a living key. All files of the day are written anew under another key, and the old one is destroyed;
with it every copy of that day in an older backup, the other components' included. The order survives a
crash: new key, new files, catalog, unlink, old key. The next pass finds a key that no file uses.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ingestion.lake import partitions
from ingestion.lake.binding import path_of
from ingestion.lake.catalog import Catalog, LakeFile, lake_dataset
from ingestion.lake.duck import add_file_keys, add_parquet_key, connect, parquet_key_name
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from privacy.retention.retention_policy import Policy

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class MixedDay:
    """A day of a signal of which some rows go and others stay, or all go by several rules."""

    signal: str
    day: date
    files: tuple[LakeFile, ...]
    leaving: Mapping[str, Mapping[str, int]]
    """Rows to remove by rule and component."""
    kept: int


@dataclass(frozen=True)
class Removed:
    """What a rule removed; `files` and `key_ids` are those that must be gone."""

    rows: int = 0
    bytes: int = 0
    files: tuple[LakeFile, ...] = ()
    key_ids: tuple[str, ...] = ()


def mixed_days(
    settings: Settings, keys: KeyStore, policy: Policy, signal: str, now: datetime
) -> list[MixedDay]:
    """Days with rows that go by a component's rule, or stay by one though the rest goes."""
    rules = policy.components(signal)
    if not rules:
        return []
    cutoffs = {name: policy.cutoff(f"{signal}/{name}", now) for name in rules}
    common = policy.cutoff(signal, now)
    catalog = Catalog(settings.lake_path)
    files = catalog.files(signal)
    unbuilt = {d.hour_at.date() for d in catalog.dirty_hours() if d.signal == signal}
    catalog.close()
    by_day: dict[date, list[LakeFile]] = {}
    for file in files:
        if keys.has_id(file.key_id):
            by_day.setdefault(file.day, []).append(file)
    found = []
    for day, some in by_day.items():
        ends_at = datetime.combine(day, datetime.min.time()) + _DAY
        is_due = any(c is not None and ends_at <= c for c in [common, *cutoffs.values()])
        # Marts first: what no build has seen waits a week, no longer.
        if not is_due or (
            day in unbuilt and ends_at > now - shortest_life(policy, signal) - 7 * _DAY
        ):
            continue
        leaving: dict[str, dict[str, int]] = {}
        kept = 0
        for component, count in _counts(settings, keys, some).items():
            cutoff = cutoffs[component] if component in rules else common
            if cutoff is None or ends_at > cutoff:
                kept += count
                continue
            rule = f"{signal}/{component}" if component in rules else signal
            leaving.setdefault(rule, {})[component] = count
        found.append(MixedDay(signal, day, tuple(some), leaving, kept))
    return found


def shortest_life(policy: Policy, signal: str) -> timedelta:
    """The shortest life that anything of a signal has."""
    ages = [policy.purge_after[signal], *policy.components(signal).values()]
    return min((age for age in ages if age is not None), default=timedelta())


def remove(settings: Settings, keys: KeyStore, policy: Policy, rule: str, now: datetime) -> Removed:
    """Remove a rule's rows from every day that is due, each day under a new key.

    Callers hold the writer's lock.
    """
    signal = rule.partition("/")[0]
    done = Removed()
    for found in mixed_days(settings, keys, policy, signal, now):
        components = found.leaving.get(rule)
        if components:
            done = _sum(done, _rewrite(settings, keys, found, sorted(components)))
    return done


def _rewrite(settings: Settings, keys: KeyStore, found: MixedDay, gone: Sequence[str]) -> Removed:
    generation = f"g{secrets.token_hex(4)}"
    key = keys.data_key(lake_dataset(found.signal, generation), found.day)
    names = ", ".join(_quoted(name) for name in gone)
    new: list[LakeFile] = []
    con = connect(memory_limit=settings.warehouse.memory_limit)
    try:
        add_file_keys(con, keys, found.files)
        add_parquet_key(con, parquet_key_name(found.signal, found.day, generation), key)
        for hour_at in sorted({f.hour_at for f in found.files}):
            old = [f for f in found.files if f.hour_at == hour_at]
            select = (
                f"SELECT * FROM ({partitions.scan(settings, old)}) WHERE component NOT IN ({names})"
            )
            rows = con.execute(f"SELECT count(*) FROM ({select})").fetchall()[0][0]
            if rows:
                new.append(
                    partitions.write_partition(
                        con,
                        settings,
                        signal=found.signal,
                        hour_at=hour_at,
                        name=f"kept-{generation}.parquet",
                        select=select,
                        rows=rows,
                        detectors=sorted({d for f in old for d in f.detectors}),
                        generation=generation,
                    )
                )
    finally:
        con.close()
    catalog = Catalog(settings.lake_path)
    catalog.replace_day(found.signal, found.day, found.files, new)
    catalog.close()
    for file in found.files:
        path_of(settings, file).unlink(missing_ok=True)
    used = sorted({f.key_id for f in found.files})
    for key_id in used if new else [*used, key.id]:
        keys.destroy_id(key_id)
    return Removed(
        sum(f.row_count for f in found.files) - sum(f.row_count for f in new),
        sum(f.byte_count for f in found.files) - sum(f.byte_count for f in new),
        found.files,
        tuple(used),
    )


def _counts(settings: Settings, keys: KeyStore, files: Sequence[LakeFile]) -> dict[str, int]:
    con = connect(memory_limit=settings.warehouse.memory_limit)
    try:
        add_file_keys(con, keys, files)
        sql = f"SELECT component, count(*) FROM ({partitions.scan(settings, files)}) GROUP BY 1"
        return dict(con.execute(sql).fetchall())
    finally:
        con.close()


def _sum(one: Removed, other: Removed) -> Removed:
    return Removed(
        one.rows + other.rows,
        one.bytes + other.bytes,
        one.files + other.files,
        one.key_ids + other.key_ids,
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
