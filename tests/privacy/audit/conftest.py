"""One audit log of a home."""

from pathlib import Path

import pytest

from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore


@pytest.fixture
def log(home: Path, keys: KeyStore) -> AuditLog:
    return AuditLog(home, keys)
