"""What the retention policy would remove from lake and spool, or move to the archive, at a given time.

Here: which partitions, rows and keys each rule names. Not here: removing them (`plan`), the rules
(`privacy/retention`), single components (`components`), marts (`dagster_project`). Times are UTC
without a zone, as everywhere in the lake.
"""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from ingestion.contracts import LANDED
from ingestion.expiry import component_expiry
from ingestion.lake import archive
from ingestion.lake.catalog import Catalog, LakeFile, lake_dataset
from ingestion.settings import Settings
from ingestion.spool import DATASET as SPOOL
from ingestion.spool import Spool
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore, dataset_of
from privacy.retention import receipts as receipt_book
from privacy.retention.retention_policy import Policy

_HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_SALTS = "pseudonym."
_GRACE = timedelta(days=7)


Action = Literal["purge", "archive"]


@dataclass(frozen=True)
class Doomed:
    """What one rule would remove, or move to the archive."""

    rule: str
    purged_before: datetime
    rows: int = 0
    bytes: int | None = 0  # None: not measured, as for some rows of a partition
    key_ids: tuple[str, ...] = ()
    files: tuple[LakeFile, ...] = field(default=(), repr=False)
    action: Action = "purge"

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.files or self.rows or self.key_ids)


def purges(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Doomed]:
    """What every rule would remove now; entries that remove nothing are among them."""
    found: list[Doomed | None] = []
    for signal in LANDED:
        mixed = component_expiry.mixed_days(settings, keys, policy, signal, now)
        found.append(_signal(settings, keys, policy, signal, now, mixed=mixed))
        found += _by_component(policy, signal, mixed, now)
    found += [_spool(settings, keys, policy, now), _salts(keys, policy, now)]
    return [doomed for doomed in found if doomed is not None]


def archives(settings: Settings, policy: Policy, now: datetime) -> list[Doomed]:
    """What is due to move to the archive."""
    found = []
    for signal in policy.archive_after:
        cutoff = policy.archive_cutoff(signal, now)
        if cutoff is not None:
            files = tuple(archive.due(settings, signal, cutoff))
            rows, size = sum(f.row_count for f in files), sum(f.byte_count for f in files)
            found.append(Doomed(signal, cutoff, rows, size, files=files, action="archive"))
    return found


def records(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Doomed]:
    """Receipts and audit entries, which the pass removes after everything else."""
    found = []
    receipts_cutoff, audit_cutoff = policy.cutoff("receipts", now), policy.cutoff("audit", now)
    if receipts_cutoff is not None:
        rows, size = receipt_book.size_before(settings.home, receipts_cutoff)
        days = [d for d in keys.days("state.receipts") if end_of(d) <= receipts_cutoff]
        ids = tuple(f"state.receipts/{d}" for d in days)
        found.append(Doomed("receipts", receipts_cutoff, rows, size, ids))
    if audit_cutoff is not None:
        with closing(AuditLog(settings.home, keys)) as log:
            rows, size, ids = log.due(audit_cutoff.replace(tzinfo=UTC))
        found.append(Doomed("audit", audit_cutoff, rows, size, ids))
    return found


def is_by_component(doomed: Doomed) -> bool:
    """Whether the rows go and the rest of their partitions stays."""
    return doomed.bytes is None and doomed.rule.partition("/")[0] in LANDED


def _by_component(
    policy: Policy, signal: str, mixed: list[component_expiry.MixedDay], now: datetime
) -> list[Doomed]:
    """Rows that leave partitions which others still need, by rule."""
    found = []
    for rule in [signal, *(f"{signal}/{name}" for name in policy.components(signal))]:
        days = [d for d in mixed if d.leaving.get(rule) and not _goes_whole(d)]
        cutoff = policy.cutoff(rule, now)
        if days and cutoff is not None:
            files = tuple(f for d in days for f in d.files)
            rows = sum(sum(d.leaving[rule].values()) for d in days)
            ids = tuple(sorted({f.key_id for f in files}))
            found.append(Doomed(rule, cutoff, rows, None, ids, files))
    return found


def _goes_whole(day: component_expiry.MixedDay) -> bool:
    """Whether the signal's own rule takes the day's partitions as they are."""
    return not day.kept and set(day.leaving) <= {day.signal}


def _signal(
    settings: Settings,
    keys: KeyStore,
    policy: Policy,
    signal: str,
    now: datetime,
    *,
    mixed: list[component_expiry.MixedDay],
) -> Doomed:
    cutoff = policy.cutoff(signal, now)
    with closing(Catalog(settings.lake_path)) as catalog:
        files = catalog.files(signal)
        waiting = _waiting_for_roll_up(catalog, signal, cutoff) if cutoff else set()
        closed = set(catalog.purged(signal))
    partly = {d.day for d in mixed if not _goes_whole(d)}
    has_own_rules = bool(
        policy.components(signal)
    )  # then nobody looks into the day before it is over
    gone = tuple(
        f
        for f in files
        if _is_restored(keys, policy, f, now)
        or (
            cutoff is not None
            and (end_of(f.day) if has_own_rules else f.hour_at + _HOUR) <= cutoff
            and f.hour_at not in waiting
            and f.day not in partly
        )
    )
    left = {f.key_id for f in files if f not in gone}
    ids = [
        key_id
        for key_id in _lake_keys(keys, signal)
        if key_id not in left and _is_over(_day_of(key_id), cutoff, closed)
    ]
    return Doomed(
        signal,
        cutoff or now,
        sum(f.row_count for f in gone),
        sum(f.byte_count for f in gone),
        tuple(ids),
        gone,
    )


def _is_restored(keys: KeyStore, policy: Policy, file: LakeFile, now: datetime) -> bool:
    """Whether a backup brought a file back whose key went with a component's day."""
    age = component_expiry.shortest_life(policy, file.signal)
    is_old = bool(policy.components(file.signal)) and end_of(file.day) <= now - age
    return is_old and not keys.has_id(file.key_id)


def _lake_keys(keys: KeyStore, signal: str) -> list[str]:
    """Living day keys of a signal, of every generation."""
    own = lake_dataset(signal)
    return [i for i in keys.ids() if dataset_of(i) == own or dataset_of(i).startswith(f"{own}.g")]


def _day_of(key_id: str) -> date:
    return date.fromisoformat(key_id.rpartition("/")[2])


def _is_over(day: date, cutoff: datetime | None, closed: set[datetime]) -> bool:
    """Whether nothing can be written under a day's key any more."""
    last_hour = end_of(day) - _HOUR
    is_closed = {last_hour, last_hour - 23 * _HOUR} <= closed
    return is_closed or (cutoff is not None and end_of(day) <= cutoff)


def _waiting_for_roll_up(catalog: Catalog, signal: str, cutoff: datetime) -> set[datetime]:
    """Hours of metric points that no build has rolled up yet; they wait a week, no longer."""
    if signal != "metric_points":
        return set()
    dirty = {d.hour_at for d in catalog.dirty_hours() if d.signal == signal}
    return {hour for hour in dirty if hour + _HOUR > cutoff - _GRACE}


def _spool(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> Doomed | None:
    cutoff = policy.cutoff(SPOOL, now)
    if cutoff is None or not settings.spool_path.exists():
        return None
    last = (cutoff - DAY).date()  # whole days only: the day has one key
    spool = Spool(settings.spool_path, keys)
    rows, size = spool.size_until(last)
    held = spool.days()
    spool.close()
    # A day without rows has no use for its key, however young it is; today and yesterday may be
    # in use by a receiver that is about to commit.
    idle = [d for d in keys.days(SPOOL) if d <= last or (d not in held and d < now.date() - DAY)]
    return Doomed(SPOOL, cutoff, rows, size, tuple(f"{SPOOL}/{d}" for d in idle))


def _salts(keys: KeyStore, policy: Policy, now: datetime) -> Doomed | None:
    cutoff = policy.cutoff("salts", now)
    if cutoff is None:
        return None
    ids = [
        f"{found.dataset}/{day}"
        for found in keys.datasets()
        if found.dataset.startswith(_SALTS)
        for day in keys.days(found.dataset)
        if datetime.combine(day, datetime.min.time()) <= cutoff
    ]
    return Doomed("salts", cutoff, key_ids=tuple(ids))


def end_of(day: date) -> datetime:
    """The first moment after a day."""
    return datetime.combine(day, datetime.min.time()) + DAY
