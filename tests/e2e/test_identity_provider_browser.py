"""Signing in through an identity provider, in a real browser, with the real app and a real provider."""

import json
import time
from pathlib import Path

import pytest

from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from streamlit_app.sign_in.doorman import COOKIE
from tests.browser import needs_browser, needs_firefox
from tests.firefox import firefox
from tests.identity_provider import SECRET, Provider, identity_provider
from tests.processes import Running, running
from tests.visitors import Visitor, chromium, is_at, reads

_SESSION_S = 25
"""How long the provider's token lasts: enough to sign in with and look at two pages."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("chromium", marks=needs_browser),
        pytest.param("firefox", marks=needs_firefox),
    ],
)
def test_a_person_comes_in_through_the_provider_and_is_led_out_when_the_token_ends(
    tmp_path: Path, kind: str
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
        with firefox() if kind == "firefox" else chromium() as browser:
            _walk(browser.somebody(), provider, processes)
        said = processes.output()
    for word in (b"Lovelace", b"clinic.example", b"ada-4711", SECRET.encode()):
        assert word not in said
    log = AuditLog(home, KeyStore.open(home))
    outcomes = [(e.action, e.outcome, e.details.get("why")) for e in log.entries(limit=50)]
    assert outcomes.count(("access.sign_in", "done", None)) == 2
    for refused in ("role", "claim_aud", "expired"):
        assert ("access.sign_in", "refused", refused) in outcomes
    assert ("access.session_end", "done", "expired") in outcomes


def _walk(visitor: Visitor, provider: Provider, processes: Running) -> None:
    for claims, told in [
        ({"realm_access": {"roles": ["patients"]}}, "gives you a role"),
        ({"aud": "another-app"}, "was not accepted"),
        ({"exp": int(time.time()) - 1}, "has expired"),
    ]:
        provider.claims = claims
        visitor.opens(f"{processes.app}/account")
        _comes_from_provider(visitor)
        reads(visitor, until=told)
        assert COOKIE not in visitor.cookies()

    provider.claims = {"exp": int(time.time()) + _SESSION_S}
    visitor.opens(f"{processes.app}/account")
    _comes_from_provider(visitor)
    text = reads(visitor, until="Signed in as")
    assert "oidc:o_" in text and "operator" in text
    assert not visitor.runs(f"document.cookie.includes({COOKIE!r})")
    visitor.opens(f"{processes.app}/privacy")
    reads(visitor, until="Your role may not use page privacy")
    # Nobody touches anything: the token ends, and with it the page.
    reads(visitor, until="Your session has ended.", seconds=_SESSION_S + 30)
    provider.claims = {}
    _comes_from_provider(visitor)
    is_at(visitor, "/privacy")


def _comes_from_provider(visitor: Visitor) -> None:
    visitor.presses("Sign in with Clinic login")
    visitor.presses("I am Ada")
