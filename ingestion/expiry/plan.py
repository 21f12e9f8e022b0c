"""What the retention policy removes from lake and spool, and the proof that it is gone.

Here: purging partitions, spool rows and the keys that sealed them. Not here: which these are (`doomed`),
the rules (`privacy/retention`), single components (`components`), moving to the archive (`archive`),
marts (`dagster_project`), receipts' storage (`privacy/retention/receipts`).

A partition goes when its whole hour is past; the day's key is destroyed when no partition of the day
is left, and with it every copy in a backup. The order survives a crash: off the catalog, unlinked,
key destroyed; the next pass finds files and keys that nothing lists and finishes.
"""

from datetime import datetime

from ingestion.contracts import LANDED
from ingestion.expiry import component_expiry
from ingestion.expiry.doomed import DAY, Doomed, archives, end_of, is_by_component, purges, records
from ingestion.lake import archive
from ingestion.lake.binding import path_of
from ingestion.lake.catalog import Catalog
from ingestion.settings import Settings
from ingestion.spool import DATASET as SPOOL
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from privacy.keys.players import PlayerPseudonyms
from privacy.retention import receipts as receipt_book
from privacy.retention.receipts import Receipt
from privacy.retention.retention_policy import Policy, load_policy


def policy_of(settings: Settings) -> Policy:
    """The policy in force; raises RetentionProblem."""
    return load_policy(settings.retention.rules)


def plan(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Doomed]:
    """What each rule would remove or move now (UTC without zone); what does nothing is left out."""
    found = [*purges(settings, keys, policy, now), *archives(settings, policy, now)]
    found += records(settings, keys, policy, now)
    return [doomed for doomed in found if not doomed.is_nothing]


def purge(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Receipt]:
    """Remove what `plan` names, prove it, keep the receipts. Callers hold the writer's lock."""
    done = []
    for doomed in purges(settings, keys, policy, now):
        if doomed.is_nothing:
            continue
        if doomed.files and is_by_component(doomed):
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
            if end_of(day) <= oldest:
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
    done = [moved for moved in archives(settings, policy, now) if not moved.is_nothing]
    for moved in done:
        archive.move(settings, moved.files)
    return done


def _remove(settings: Settings, keys: KeyStore, doomed: Doomed) -> None:
    if doomed.files:
        catalog = Catalog(settings.lake_path)
        catalog.forget(doomed.files)
        catalog.close()
    for file in doomed.files:
        path_of(settings, file).unlink(missing_ok=True)
    if doomed.rule == SPOOL:
        spool = Spool(settings.spool_path, keys)
        spool.delete_until((doomed.purged_before - DAY).date())
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
        rows = spool.size_until((doomed.purged_before - DAY).date())[0]
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
