"""Signing in, for tests of pages and of the running app."""

from pathlib import Path

from playwright.sync_api import Page
from streamlit.testing.v1 import AppTest

from privacy.access import Role
from privacy.accounts import Accounts
from privacy.audit import AuditLog
from privacy.keys import KeyStore
from streamlit_app.doorman import COOKIE


def session_secret(home: Path, role: Role = Role.ADMIN) -> str:
    """The secret of a fresh session."""
    keys = KeyStore.open(home)
    log = AuditLog(home, keys)
    secret = Accounts(home, keys, log).open_session("user:u_test", role, hours=1, how="test")
    log.close()
    return secret


def sign_in_page_test(shown: AppTest, home: Path, role: Role = Role.ADMIN) -> AppTest:
    """The page test of somebody with a role."""
    shown.session_state[COOKIE] = session_secret(home, role)
    return shown


def sign_in_browser(page: Page, home: Path, url: str, role: Role = Role.ADMIN) -> None:
    """Give a browser the cookie of a session."""
    page.context.add_cookies([{"name": COOKIE, "value": session_secret(home, role), "url": url}])
