"""The audit log's head, exported outside `state.db` with every batch pass."""

import dagster as dg

from ingestion.settings import load_settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.store import KeyStore


@dg.asset(key=["audit", "head"], group_name="audit", kinds={"json"})
def audit_head() -> dg.MaterializeResult:
    """One file a day in `<home>/audit-heads`, and in `audit.heads_path` when it is set."""
    settings = load_settings()
    log = AuditLog(settings.home, KeyStore.open(settings.home))
    try:
        log.export_head()
        if settings.audit.heads_path:
            log.export_head(settings.audit.heads_path)
        return dg.MaterializeResult(metadata={"entries": log.head().seq})
    finally:
        log.close()
