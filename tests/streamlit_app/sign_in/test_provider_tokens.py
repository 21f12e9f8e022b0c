"""Tokens of an identity provider: which make a session, and how long it lasts."""

import time

import pytest
import time_machine
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from ingestion.settings import Settings
from streamlit_app.sign_in import doorman
from streamlit_app.sign_in.doorman import COOKIE
from tests.identity_provider import Provider
from tests.streamlit_app.sign_in.conftest import entries, sign_in

_NOW = int(time.time())
WRONG = {
    "expired": ({"exp": _NOW - 1}, "expired"),
    "expired long ago": ({"exp": _NOW - 9_000}, "expired"),
    "without an end": ({"exp": None}, "claim_exp"),
    "an end that is no number": ({"exp": "tomorrow"}, "claim_exp"),
    "for another app": ({"aud": "another-app"}, "claim_aud"),
    "for two apps, used by the other": (
        {"aud": ["tta-monitor", "another-app"], "azp": "another-app"},
        "claim_azp",
    ),
    "of another issuer": ({"iss": "https://evil.example"}, "claim_iss"),
    "answering another question": ({"nonce": "guess"}, "claim_nonce"),
    "without a question": ({"nonce": None}, "claim_nonce"),
    "from the future": ({"iat": _NOW + 9_000}, "claim_iat"),
    "of nobody": ({"sub": ""}, "subject"),
    "of a number": ({"sub": 7}, "claim_sub"),
    "without roles": ({"realm_access": None}, "role"),
    "with a role that is not mapped": ({"realm_access": {"roles": ["admin"]}}, "role"),
    "with a role by another name": ({"realm_access": {"roles": ["TTA-OPERATORS"]}}, "role"),
    "with roles that are no texts": ({"realm_access": {"roles": [{"tta-operators": 1}]}}, "role"),
    "with roles as one text": ({"realm_access": "tta-operators"}, "role"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_token_that_is_not_good_makes_no_session(
    name: str, app: TestClient, there: Provider
) -> None:
    there.claims, why = WRONG[name]
    answer = sign_in(app)
    assert answer.status_code in {401, 403}
    assert COOKIE not in app.cookies and "provider" in answer.text
    assert app.get("/").status_code == 303
    (entry,) = entries("access.sign_in")
    assert (entry.actor, entry.outcome) == ("unknown", "refused")
    assert entry.details == {"how": "provider", "why": why}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "another key"])
def test_a_token_that_the_provider_did_not_sign_is_refused(
    algorithm: str, app: TestClient, there: Provider
) -> None:
    if algorithm == "another key":
        there.signs_with = RSAKey.generate_key(2048, {"kid": str(there.key.kid)})
    else:
        there.algorithm = algorithm
    assert sign_in(app).status_code == 401
    (entry,) = entries("access.sign_in")
    assert entry.details["why"] == "token" and COOKIE not in app.cookies


def test_a_key_that_the_provider_has_changed_is_asked_for_again(
    app: TestClient, there: Provider
) -> None:
    assert sign_in(app).status_code == 303
    there.key = RSAKey.generate_key(2048, {"kid": "k2"})
    assert sign_in(app).status_code == 303


def test_the_session_ends_with_the_token_and_leaves_an_entry(
    app: TestClient, there: Provider
) -> None:
    there.claims = {"exp": int(time.time()) + 90}
    sign_in(app)
    secret = app.cookies[COOKIE]
    assert app.get("/").text == "fact"
    found = doorman.identities().sessions.find(secret)
    assert found
    with time_machine.travel(time.time() + 91):
        assert app.get("/").status_code == 303
        assert app.get("/").status_code == 303
        (entry,) = entries("access.session_end")
    assert (entry.actor, entry.details["why"]) == (found.who.id, "expired")
    assert entry.details["expired_at"] == found.expires_at.isoformat()


def test_a_token_that_lives_longer_than_a_session_may_does_not_lengthen_it(
    app: TestClient, there: Provider, settings: Settings
) -> None:
    there.claims = {"exp": int(time.time()) + 30 * 86_400}
    sign_in(app)
    found = doorman.identities().sessions.find(app.cookies[COOKIE])
    assert found
    assert found.expires_at.timestamp() < time.time() + settings.access.session_hours * 3_600 + 5
