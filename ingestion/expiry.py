"""What the retention policy removes from lake and spool, and the proof that it is gone.

Here: planning and purging of partitions, spool rows and the keys that sealed them. Not here: the
rules (`privacy/retention`), marts (`dagster_project`), receipts' storage (`privacy/receipts`).

A partition goes when its whole hour is past; the day's key is destroyed when no partition of the day
is left, and with it every copy in a backup. The order survives a crash: off the catalog, unlinked,
key destroyed; the next pass finds files and keys that nothing lists and finishes.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ingestion.catalog import Catalog, LakeFile
from ingestion.contracts import LANDED
from ingestion.settings import Settings
from ingestion.spool import DATASET as SPOOL
from ingestion.spool import Spool
from privacy import receipts as receipt_book
from privacy.keys import KeyStore
from privacy.players import PlayerPseudonyms
from privacy.receipts import Receipt
from privacy.retention import Policy, load_policy

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SALTS = "pseudonym."
_GRACE = timedelta(days=7)


@dataclass(frozen=True)
class Doomed:
    """What one rule would remove."""

    rule: str
    purged_before: datetime
    rows: int = 0
    bytes: int = 0
    key_ids: tuple[str, ...] = ()
    files: tuple[LakeFile, ...] = field(default=(), repr=False)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.files or self.rows or self.key_ids)


def policy_of(settings: Settings) -> Policy:
    """The policy in force; raises RetentionProblem."""
    return load_policy(settings.retention.rules)


def plan(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Doomed]:
    """What each rule would remove now (UTC without zone); rules that remove nothing are left out."""
    catalog = Catalog(settings.lake_path)
    found = [_signal(catalog, keys, policy, signal, now) for signal in LANDED]
    catalog.close()
    found += [_spool(settings, keys, policy, now), _salts(keys, policy, now)]
    return [doomed for doomed in found if doomed is not None and not doomed.is_nothing]


def purge(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Receipt]:
    """Remove what `plan` names, prove it, keep the receipts. Callers hold the writer's lock."""
    done = []
    for doomed in plan(settings, keys, policy, now):
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
    alive = {f.path for signal in LANDED for f in catalog.files(signal)}
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


def _signal(
    catalog: Catalog, keys: KeyStore, policy: Policy, signal: str, now: datetime
) -> Doomed | None:
    cutoff = policy.cutoff(signal, now)
    if cutoff is None:
        return None
    files = catalog.files(signal)
    waiting = _waiting_for_roll_up(catalog, signal, cutoff)
    gone = tuple(f for f in files if f.hour_at + _HOUR <= cutoff and f.hour_at not in waiting)
    left = {f.day for f in files if f not in gone}
    dataset = f"lake.{signal}"
    days = [d for d in keys.days(dataset) if d not in left and _end(d) <= cutoff]
    return Doomed(
        signal,
        cutoff,
        sum(f.row_count for f in gone),
        sum(f.byte_count for f in gone),
        tuple(f"{dataset}/{d}" for d in days),
        gone,
    )


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
        (settings.lake_path / file.path).unlink(missing_ok=True)
    if doomed.rule == SPOOL:
        spool = Spool(settings.spool_path, keys)
        spool.delete_until((doomed.purged_before - _DAY).date())
        spool.close()
    for key_id in doomed.key_ids:
        keys.destroy_id(key_id)


def _receipt(settings: Settings, keys: KeyStore, doomed: Doomed, now: datetime) -> Receipt:
    """Look for what should be gone: in the catalog, in the spool, on the disk, among the keys."""
    catalog = Catalog(settings.lake_path)
    left = catalog.files(doomed.rule) if doomed.rule in LANDED else []
    rows = sum(f.row_count for f in left if f.hour_at + _HOUR <= doomed.purged_before)
    catalog.close()
    if doomed.rule == SPOOL:
        spool = Spool(settings.spool_path, keys)
        rows = spool.size_until((doomed.purged_before - _DAY).date())[0]
        spool.close()
    files = sum((settings.lake_path / f.path).exists() for f in doomed.files)
    alive = set(keys.ids())
    return Receipt(
        id=f"{now.isoformat()}/{doomed.rule}",
        purged_at=now,
        rule=doomed.rule,
        purged_before=doomed.purged_before,
        partitions=len(doomed.files),
        rows=doomed.rows,
        bytes=doomed.bytes,
        keys_destroyed=tuple(k for k in doomed.key_ids if k not in alive),
        proof_rows=rows,
        proof_files=files + sum(k in alive for k in doomed.key_ids),
    )


def _end(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time()) + _DAY
