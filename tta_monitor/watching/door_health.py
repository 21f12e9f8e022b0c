"""What `status` says of strangers: requests that doors turned away lately.

Here: adding up the audit log's entries. Not here: the refusing (`ingestion/doors/known_hosts`) and its counts
(`ingestion/doors/turned_away`), of which every door leaves an entry a minute at most.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyProblem, KeyStore

_ACTION = "access.door"
_LATELY = timedelta(hours=1)
_MAX_ENTRIES = 1_000


def turned_away(settings: Settings) -> dict[str, int]:
    """Requests of the last hour by `<door> <reason>`; empty where the keys are not at hand."""
    try:
        keys = KeyStore.open(settings.home)
    except KeyProblem:
        return {}
    log = AuditLog(settings.home, keys)
    try:
        since = datetime.now(UTC) - _LATELY
        found: Counter[str] = Counter()
        for entry in log.entries(action=_ACTION, since=since, limit=_MAX_ENTRIES):
            calls = entry.details.get("calls")
            why = f"{entry.target} {entry.details.get('why', '')}"
            found[why] += calls if isinstance(calls, int) else 1
        return dict(sorted(found.items()))
    finally:
        log.close()
