"""What door and pages share: settings, accounts and audit log of the data home, once per process."""

from functools import cache

from ingestion.settings import Settings, load_settings
from privacy.access import Guard
from privacy.accounts import Accounts
from privacy.audit import AuditLog
from privacy.keys import KeyStore

COOKIE = "tta_monitor_session"


@cache
def settings() -> Settings:
    """Settings of the data home."""
    return load_settings()


@cache
def log() -> AuditLog:
    """The audit log."""
    return AuditLog(settings().home, KeyStore.open(settings().home))


@cache
def accounts() -> Accounts:
    """Who somebody is."""
    return Accounts(settings().home, KeyStore.open(settings().home), log())


@cache
def guard() -> Guard:
    """What somebody may do."""
    return Guard(log())


def state_secret() -> str:
    """Signs the cookie that a browser holds while it is at the identity provider."""
    return KeyStore.open(settings().home).named_key("access.state").secret.hex()


def is_open() -> bool:
    """Whether everybody on this machine passes: `access.sign_in: off`."""
    return settings().access.sign_in == "off"


def forget() -> None:
    """Forget the data home, for tests."""
    for cached in (settings, log, accounts, guard):
        cached.cache_clear()
