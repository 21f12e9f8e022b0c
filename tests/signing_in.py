"""Signing in, for tests of pages and of the running app."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from privacy.access.access_policy import Role
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from streamlit_app.sign_in.doorman import COOKIE


def session_secret(home: Path, role: Role = Role.ADMIN) -> str:
    """The secret of a fresh session."""
    return _identities(home).sessions.begin("user:u_test", role, hours=1, how="test")


def sign_in_page_test(shown: AppTest, home: Path, role: Role = Role.ADMIN) -> AppTest:
    """The page test of somebody with a role."""
    shown.session_state[COOKIE] = session_secret(home, role)
    return shown


def link_to(home: Path, app: str, role: Role = Role.ADMIN) -> str:
    """A link that works once, as `access link` prints it."""
    secret = _identities(home).links.create(role, hours=1, by="service:test")
    return f"{app}/sign-in?link={secret}"


def _identities(home: Path) -> Identities:
    keys = KeyStore.open(home)
    return Identities(home, keys, AuditLog(home, keys))
