"""What door and pages share: settings, accounts and audit log of the data home, once per process."""

from functools import cache

from ingestion.doors.turned_away import TurnedAway
from ingestion.settings import Settings, load_settings
from privacy.access.access_policy import Guard
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore

COOKIE = "tta_monitor_session"
TO_PROVIDER, FROM_PROVIDER = "/sign-in/provider", "/sign-in/provider/callback"


@cache
def settings() -> Settings:
    """Settings of the data home."""
    return load_settings()


@cache
def keys() -> KeyStore:
    """The keys of the data home."""
    return KeyStore.open(settings().home)


@cache
def log() -> AuditLog:
    """The audit log."""
    return AuditLog(settings().home, keys())


@cache
def identities() -> Identities:
    """Who somebody is."""
    return Identities(settings().home, keys(), log())


@cache
def guard() -> Guard:
    """What somebody may do."""
    return Guard(log())


@cache
def turned_away() -> TurnedAway:
    """What the app's door refused before asking who it was."""
    return TurnedAway("app", log())


def turn_away(why: str) -> None:
    """Count one of them."""
    turned_away().note(why)


def state_secret() -> str:
    """Signs the cookie that a browser holds while it is at the identity provider."""
    return keys().named_key("access.state").secret.hex()


def form_secret() -> bytes:
    """Makes the token of our forms, which belongs to a cookie of the browser."""
    return keys().named_key("access.form").secret


def app_url() -> str:
    """Where browsers reach the app."""
    chosen = settings()
    return chosen.access.oidc.app_url or f"http://{chosen.app.host}:{chosen.app.port}"


def is_secure() -> bool:
    """Whether the app is reached by TLS, so that no cookie goes without it."""
    return app_url().startswith("https://")


def provider_label() -> str:
    """What the button calls the identity provider; empty when there is none."""
    oidc = settings().access.oidc
    return oidc.label if oidc.issuer else ""


def is_open() -> bool:
    """Whether everybody on this machine passes: `access.sign_in: off`."""
    return settings().access.sign_in == "off"


def forget() -> None:
    """Forget the data home, for tests."""
    for cached in (settings, keys, log, identities, guard, turned_away):
        cached.cache_clear()
