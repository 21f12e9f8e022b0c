"""The release gate as the batch side opens it: this site's budget, every release in the audit log.

Here: the one place where a gate is made for publishing. Not here: releasing (`privacy/release`), which
marts are released (their models and the assets that call this).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.release import ReleaseGate


@contextmanager
def release_gate(
    settings: Settings, keys: KeyStore, *, now: datetime | None = None
) -> Iterator[ReleaseGate]:
    """A gate with `release.*` of the settings; releases and refusals are audit entries.

    `now` (UTC) stands for the clock, for a pass that has read it already.
    """
    with closing(AuditLog(settings.home, keys)) as log:
        yield ReleaseGate(
            settings.home,
            keys,
            budget=settings.release.epsilon_per_28_days,
            allow_k_anonymity=settings.release.allow_k_anonymity,
            audit=log.append,
            now=lambda: now or datetime.now(UTC),
        )
