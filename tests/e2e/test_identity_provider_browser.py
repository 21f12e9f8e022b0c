"""Signing in through an identity provider, in a real browser, with the real app and a real provider."""

import json
import time
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from privacy.audit import AuditLog
from privacy.keys import KeyStore
from streamlit_app.doorman import COOKIE
from tests.browser import chromium_path, needs_browser
from tests.identity_provider import SECRET, Provider, identity_provider
from tests.processes import Running, running


@needs_browser
@pytest.mark.slow
def test_a_person_comes_in_through_the_provider_and_out_when_the_token_ends(
    tmp_path: Path,
) -> None:
    home, secret = tmp_path / "home", tmp_path / "client-secret"
    home.mkdir()
    secret.write_text(SECRET)
    secret.chmod(0o600)
    with identity_provider() as provider, running(home) as processes:
        provider.redirect_uri = f"{processes.app}/sign-in/provider/callback"
        chosen = provider.settings(str(secret)) | {"app_url": processes.app}
        processes.environment["TTA_MONITOR_ACCESS__OIDC"] = json.dumps(chosen)
        processes.start("streamlit")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
            )
            try:
                _walk(browser.new_context(), provider, processes)
            finally:
                browser.close()
        said = processes.output()
    for word in (b"Lovelace", b"clinic.example", b"ada-4711", SECRET.encode()):
        assert word not in said
    log = AuditLog(home, KeyStore.open(home))
    outcomes = [(e.action, e.outcome, e.details.get("why")) for e in log.entries(limit=50)]
    assert outcomes.count(("access.sign_in", "done", None)) == 1
    for refused in ("role", "claim_aud", "expired"):
        assert ("access.sign_in", "refused", refused) in outcomes
    assert ("access.session_end", "done", "expired") in outcomes


def _walk(context: BrowserContext, provider: Provider, processes: Running) -> None:
    page = context.new_page()
    for claims, told in [
        ({"realm_access": {"roles": ["patients"]}}, "gives you a role"),
        ({"aud": "another-app"}, "was not accepted"),
        ({"exp": int(time.time()) - 1}, "has expired"),
    ]:
        provider.claims = claims
        _come_from_provider(page, processes)
        expect(page.get_by_role("alert")).to_contain_text(told)
        assert all(c.get("name") != COOKIE for c in context.cookies())

    context.add_cookies(
        [{"name": COOKIE, "value": provider.issued[-1][:900], "url": processes.app}]
    )
    page.goto(f"{processes.app}/account")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    context.clear_cookies()

    provider.claims = {"exp": int(time.time()) + 20}
    _come_from_provider(page, processes)
    page.wait_for_url("**/account")
    expect(page.get_by_text("Signed in as")).to_be_visible(timeout=60_000)
    assert "oidc:o_" in page.inner_text("body") and "operator" in page.inner_text("body")
    page.goto(f"{processes.app}/privacy")
    expect(page.get_by_text("Your role may not use page privacy")).to_be_visible(timeout=60_000)
    (held,) = [c for c in context.cookies() if c.get("name") == COOKIE]
    assert held.get("httpOnly") and held.get("sameSite") == "Lax"

    page.goto(f"{processes.app}/account")
    expect(page.get_by_text("Signed in as")).to_be_visible(timeout=60_000)
    time.sleep(max(provider.claims["exp"] - time.time(), 0) + 1)
    page.goto(f"{processes.app}/account")
    expect(page.get_by_role("link", name="Sign in with Clinic login")).to_be_visible()


def _come_from_provider(page: Page, processes: Running) -> None:
    page.goto(f"{processes.app}/sign-in?next=/account")
    page.get_by_role("link", name="Sign in with Clinic login").click()
    page.get_by_role("button", name="I am Ada").click()
