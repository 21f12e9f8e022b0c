"""The audit log's head, exported outside `state.db` with every batch pass."""

import dagster as dg

from dagster_project.defs.home import InHome


@dg.asset(key=["audit", "head"], group_name="audit", kinds={"json"})
def audit_head(home: InHome) -> dg.MaterializeResult:
    """One file a day in `<home>/audit-heads`, and in `audit.heads_path` when it is set."""
    elsewhere = home.settings.audit.heads_path
    with home.audit_log() as log:
        log.export_head()
        if elsewhere:
            log.export_head(elsewhere)
        return dg.MaterializeResult(metadata={"entries": log.head().seq})
