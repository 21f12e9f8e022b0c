"""What the retention policy removes from lake and spool, and the proof that it is gone.

Here: planning and purging of partitions, spool rows and the keys that sealed them. Not here: the rules
(`privacy/retention/policy`), single components (`component_expiry`), moving to the archive (`archive`),
marts (`dagster_project`), receipts' storage (`privacy/retention/receipts`).

A partition goes when its whole hour is past; the day's key is destroyed when no partition of the day
is left, and with it every copy in a backup. The order survives a crash: off the catalog, unlinked,
key destroyed; the next pass finds files and keys that nothing lists and finishes.
"""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from ingestion.contracts import LANDED
from ingestion.expiry import components as component_expiry
from ingestion.lake import archive
from ingestion.lake.binding import path_of
from ingestion.lake.catalog import Catalog, LakeFile, lake_dataset
from ingestion.settings import Settings
from ingestion.spool import DATASET as SPOOL
from ingestion.spool import Spool
from privacy.audit.log import AuditLog
from privacy.keys.players import PlayerPseudonyms
from privacy.keys.store import KeyStore, dataset_of
from privacy.retention import receipts as receipt_book
from privacy.retention.policy import Policy, load_policy
from privacy.retention.receipts import Receipt

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
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


def policy_of(settings: Settings) -> Policy:
    """The policy in force; raises RetentionProblem."""
    return load_policy(settings.retention.rules)


def plan(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Doomed]:
    """What each rule would remove or move now (UTC without zone); what does nothing is left out."""
    found = [*_purges(settings, keys, policy, now), *_archives(settings, policy, now)]
    found += _records(settings, keys, policy, now)
    return [doomed for doomed in found if not doomed.is_nothing]


def purge(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Receipt]:
    """Remove what `plan` names, prove it, keep the receipts. Callers hold the writer's lock."""
    done = []
    for doomed in _purges(settings, keys, policy, now):
        if doomed.is_nothing:
            continue
        if doomed.files and _is_by_component(doomed):
            done.append(_purge_components(settings, keys, policy, doomed, now))
        else:
            _remove(settings, keys, doomed)
            done.append(_receipt(settings, keys, doomed, now))
        receipt_book.write(settings.home, keys, done[-1])
    sweep(settings)
    engagement = policy.cutoff("engagement_events", now)
    if engagement is not None:
        # A period's keys are needed for as long as a row of its last day may be erased.
        PlayerPseudonyms(settings.home, keys).destroy_before(engagement.date())
    oldest = policy.cutoff("receipts", now)
    if oldest is not None:
        receipt_book.forget(settings.home, oldest)
        for day in keys.days("state.receipts"):
            if _end(day) <= oldest:
                keys.destroy("state.receipts", day)
    return done


def receipts(settings: Settings, keys: KeyStore) -> list[Receipt]:
    """All receipts, newest first: what the privacy page shows."""
    return receipt_book.read(settings.home, keys)


def sweep(settings: Settings) -> int:
    """Unlink lake files that the catalog does not list (a crash left them); returns how many."""
    catalog = Catalog(settings.lake_path)
    is_draining = catalog.open_plan() is not None
    alive = {f.path for signal in LANDED for f in catalog.files(signal) if not f.is_archived}
    catalog.close()
    if is_draining:
        return 0
    stray = [
        path
        for pattern in ("*.parquet", "*.tmp")
        for path in settings.lake_path.rglob(pattern)
        if str(path.relative_to(settings.lake_path)) not in alive
    ]
    for path in stray:
        path.unlink()
    return len(stray)


def archive_due(settings: Settings, policy: Policy, now: datetime) -> list[Doomed]:
    """Move what is due to the archive; returns what was moved. Callers hold the writer's lock."""
    done = [moved for moved in _archives(settings, policy, now) if not moved.is_nothing]
    for moved in done:
        archive.move(settings, moved.files)
    return done


def _purges(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Doomed]:
    found: list[Doomed | None] = []
    for signal in LANDED:
        mixed = component_expiry.mixed_days(settings, keys, policy, signal, now)
        found.append(_signal(settings, keys, policy, signal, now, mixed=mixed))
        found += _by_component(policy, signal, mixed, now)
    found += [_spool(settings, keys, policy, now), _salts(keys, policy, now)]
    return [doomed for doomed in found if doomed is not None]


def _archives(settings: Settings, policy: Policy, now: datetime) -> list[Doomed]:
    found = []
    for signal in policy.archive_after:
        cutoff = policy.archive_cutoff(signal, now)
        if cutoff is not None:
            files = tuple(archive.due(settings, signal, cutoff))
            rows, size = sum(f.row_count for f in files), sum(f.byte_count for f in files)
            found.append(Doomed(signal, cutoff, rows, size, files=files, action="archive"))
    return found


def _records(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Doomed]:
    """Receipts and audit entries, which the pass removes after everything else."""
    found = []
    receipts_cutoff, audit_cutoff = policy.cutoff("receipts", now), policy.cutoff("audit", now)
    if receipts_cutoff is not None:
        rows, size = receipt_book.size_before(settings.home, receipts_cutoff)
        days = [d for d in keys.days("state.receipts") if _end(d) <= receipts_cutoff]
        ids = tuple(f"state.receipts/{d}" for d in days)
        found.append(Doomed("receipts", receipts_cutoff, rows, size, ids))
    if audit_cutoff is not None:
        with closing(AuditLog(settings.home, keys)) as log:
            rows, size, ids = log.due(audit_cutoff.replace(tzinfo=UTC))
        found.append(Doomed("audit", audit_cutoff, rows, size, ids))
    return found


def _is_by_component(doomed: Doomed) -> bool:
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
            and (_end(f.day) if has_own_rules else f.hour_at + _HOUR) <= cutoff
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
    is_old = bool(policy.components(file.signal)) and _end(file.day) <= now - age
    return is_old and not keys.has_id(file.key_id)


def _lake_keys(keys: KeyStore, signal: str) -> list[str]:
    """Living day keys of a signal, of every generation."""
    own = lake_dataset(signal)
    return [i for i in keys.ids() if dataset_of(i) == own or dataset_of(i).startswith(f"{own}.g")]


def _day_of(key_id: str) -> date:
    return date.fromisoformat(key_id.rpartition("/")[2])


def _is_over(day: date, cutoff: datetime | None, closed: set[datetime]) -> bool:
    """Whether nothing can be written under a day's key any more."""
    last_hour = _end(day) - _HOUR
    is_closed = {last_hour, last_hour - 23 * _HOUR} <= closed
    return is_closed or (cutoff is not None and _end(day) <= cutoff)


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
    last = (cutoff - _DAY).date()  # whole days only: the day has one key
    spool = Spool(settings.spool_path, keys)
    rows, size = spool.size_until(last)
    held = spool.days()
    spool.close()
    # A day without rows has no use for its key, however young it is; today and yesterday may be
    # in use by a receiver that is about to commit.
    idle = [d for d in keys.days(SPOOL) if d <= last or (d not in held and d < now.date() - _DAY)]
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


def _remove(settings: Settings, keys: KeyStore, doomed: Doomed) -> None:
    if doomed.files:
        catalog = Catalog(settings.lake_path)
        catalog.forget(doomed.files)
        catalog.close()
    for file in doomed.files:
        path_of(settings, file).unlink(missing_ok=True)
    if doomed.rule == SPOOL:
        spool = Spool(settings.spool_path, keys)
        spool.delete_until((doomed.purged_before - _DAY).date())
        spool.close()
    for key_id in doomed.key_ids:
        keys.destroy_id(key_id)


def _purge_components(
    settings: Settings, keys: KeyStore, policy: Policy, doomed: Doomed, now: datetime
) -> Receipt:
    """Remove one rule's rows, then look again for them, their files and their keys."""
    gone = component_expiry.remove(settings, keys, policy, doomed.rule, now)
    signal = doomed.rule.partition("/")[0]
    left = component_expiry.mixed_days(settings, keys, policy, signal, now)
    proof_rows = sum(sum(d.leaving.get(doomed.rule, {}).values()) for d in left)
    return _proved(settings, keys, doomed, gone, proof_rows=proof_rows, now=now)


def _receipt(settings: Settings, keys: KeyStore, doomed: Doomed, now: datetime) -> Receipt:
    """Look for what should be gone: in the catalog, in the spool, on the disk, among the keys."""
    catalog = Catalog(settings.lake_path)
    left = catalog.files(doomed.rule) if doomed.rule in LANDED else []
    closed = {f.hour_at for f in doomed.files}
    rows = sum(f.row_count for f in left if f.hour_at in closed)
    catalog.close()
    if doomed.rule == SPOOL:
        spool = Spool(settings.spool_path, keys)
        rows = spool.size_until((doomed.purged_before - _DAY).date())[0]
        spool.close()
    return _proved(settings, keys, doomed, doomed, proof_rows=rows, now=now)


def _proved(
    settings: Settings,
    keys: KeyStore,
    doomed: Doomed,
    gone: Doomed | component_expiry.Removed,
    *,
    proof_rows: int,
    now: datetime,
) -> Receipt:
    """The receipt of what is gone; `proof_rows` are those that were found afterwards."""
    alive = set(keys.ids())
    return Receipt(
        id=f"{now.isoformat()}/{doomed.rule}",
        purged_at=now,
        rule=doomed.rule,
        purged_before=doomed.purged_before,
        partitions=len(gone.files),
        rows=gone.rows,
        bytes=gone.bytes,
        keys_destroyed=tuple(k for k in gone.key_ids if k not in alive),
        proof_rows=proof_rows,
        proof_files=sum(path_of(settings, f).exists() for f in gone.files)
        + sum(k in alive for k in gone.key_ids),
    )


def _end(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time()) + _DAY
