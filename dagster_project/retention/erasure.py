"""Erasing a person from everything stored: lake, spool, warehouse, published copies.

Here: the whole erasure and its receipt. Not here: batches and partitions (`ingestion/expiry/erasure`),
rebuilding the marts of the hours it marked (`build`). Released aggregates hold no pseudonym and are
never touched.
"""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from dagster_project.retention.marts import count_leaving, publish_again, rewrite_warehouse
from ingestion.expiry.erasure import Erasure, erase_rows, holds_any, living_pseudonyms
from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.retention import receipts
from privacy.retention.receipts import Receipt


def erase(
    settings: Settings, keys: KeyStore, subject: str, now: datetime, *, by: str = "os:owner"
) -> Receipt:
    """Remove a person's rows everywhere; receipt and audit entry do not name the person.

    Callers hold the writer's lock. Rebuilding the marked hours is the next build's work.
    """
    names = living_pseudonyms(settings, keys, subject)
    done = erase_rows(settings, keys, subject)
    mart_rows, mart_left = _marts(settings, keys, names)
    receipt = _receipt(done, now, mart_rows, mart_left)
    receipts.write(settings.home, keys, receipt)
    with closing(AuditLog(settings.home, keys)) as log:
        receipts.tell(settings.home, keys, log, by=by, now=now)
    return receipt


def _marts(settings: Settings, keys: KeyStore, names: Sequence[str]) -> tuple[int, int]:
    condition = holds_any(names)
    gone = rewrite_warehouse(settings, keys, lambda _: condition).rows
    if gone:
        publish_again(settings, keys)
    left = count_leaving(settings, keys, lambda _: condition)
    return sum(gone.values()), sum(left.values())


def _receipt(done: Erasure, now: datetime, mart_rows: int, mart_left: int) -> Receipt:
    return Receipt(
        id=f"{now.isoformat()}/{receipts.ERASURE}",
        purged_at=now,
        rule=receipts.ERASURE,
        purged_before=now,
        partitions=done.lake_files + done.spool_batches,
        rows=done.lake_rows + done.spool_rows + mart_rows,
        bytes=None,
        keys_destroyed=("players",) * bool(done.player_keys),
        proof_rows=done.proof_rows + mart_left,
        proof_files=0,
    )
