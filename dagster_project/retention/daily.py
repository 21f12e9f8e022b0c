"""The daily retention pass: when it is due, doing it once, telling the audit log.

Here: the pass as schedule, command line and `build` run it. Not here: what goes (`mart_expiry`,
`ingestion/expiry/plan`), the rules (`privacy/retention`), the schedule (`defs/retention`). A day
on which nothing ran at the hour of the schedule is caught up by whoever comes first.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from dagster_project.marts.warehouse import writer_lock
from dagster_project.retention.marts import expire
from ingestion.expiry import plan as expiry
from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.retention import receipts
from privacy.retention.receipts import Receipt
from privacy.retention.retention_policy import Policy

HOUR = time(0, 10)
"""When the schedule runs, UTC."""

SERVICE = "service:retention"
_DAY = timedelta(days=1)


def is_due(home: Path, now: datetime, grace: timedelta = timedelta()) -> bool:
    """Whether the latest hour of the schedule passed, by more than `grace`, without a pass.

    `now` is UTC without zone. A home that never had one counts from now: what is replayed into a new
    home stays until the next hour of the schedule.
    """
    latest = datetime.combine(now.date(), HOUR)
    if now < latest + grace:
        latest -= _DAY
    done = receipts.last_pass(home)
    if done is None:
        receipts.note_pass(home, now)
        return False
    return done < latest


def run_pass(
    settings: Settings, keys: KeyStore, policy: Policy, now: datetime, *, by: str = SERVICE
) -> list[Receipt]:
    """Remove and archive what is past its time, each with an audit entry. Holds no lock.

    Done twice it removes nothing more; an entry that a crash prevented is written by the next pass.
    """
    with closing(AuditLog(settings.home, keys)) as log:
        done = expire(settings, keys, policy, now)
        for moved in expiry.archive_due(settings, policy, now):
            log.append(
                actor=by,
                action="retention.archive",
                target=moved.rule,
                archived_before=moved.purged_before.isoformat(),
                partitions=len(moved.files),
                rows=moved.rows,
                bytes=moved.bytes,
            )
        receipts.tell(settings.home, keys, log, by=by, now=now)
        oldest = policy.cutoff("audit", now)
        if oldest is not None:
            log.expire(oldest.replace(tzinfo=UTC))
    receipts.note_pass(settings.home, now)
    return done


def catch_up(
    settings: Settings,
    keys: KeyStore,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Receipt] | None:
    """The pass of a day on which nothing ran in time; None when none is due."""
    if not is_due(settings.home, now):
        return None
    with writer_lock(settings, progress):
        if not is_due(settings.home, now):
            return None
        progress("removing what is past its time")
        return run_pass(settings, keys, expiry.policy_of(settings), now)
