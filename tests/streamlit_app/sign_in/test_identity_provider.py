"""Signing in through an identity provider: what is accepted, and everything that is not."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ingestion.settings import Settings, SettingsProblem, load_settings
from live_tail.http.access import Door as LiveDoor
from privacy.access.policy import Role
from privacy.audit.log import AuditEntry
from privacy.keys.store import KeyStore
from streamlit_app.sign_in import doorman, provider
from streamlit_app.sign_in.door import Door
from streamlit_app.sign_in.doorman import COOKIE
from streamlit_app.sign_in.entrance import routes
from tests.identity_provider import SECRET, Provider, identity_provider
from tta_monitor.console import permission
from tta_monitor.console.problems import Problem
from tta_monitor.watching import doctor

APP = "http://127.0.0.1:8501"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with identity_provider() as found:
        yield found


@pytest.fixture
def there(running: Provider) -> Provider:
    """The provider as it answers when nothing is wrong."""
    running.claims, running.algorithm, running.signs_with = {}, "RS256", None
    running.is_down = False
    running.redirect_uri = f"{APP}{doorman.FROM_PROVIDER}"
    return running


@pytest.fixture
def app(
    settings: Settings, there: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    secret = tmp_path / "client-secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    chosen = json.dumps(there.settings(str(secret)))
    monkeypatch.setenv("TTA_MONITOR_ACCESS__OIDC", chosen)
    doorman.forget()
    provider.forget()
    served = Starlette(
        routes=[*routes(), Route("/{path:path}", lambda _: PlainTextResponse("fact"))],
        middleware=[Middleware(Door)],
    )
    person = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
    yield TestClient(served, base_url=APP, follow_redirects=False, headers=person)
    doorman.forget()
    provider.forget()


def at_provider(app: TestClient, onward: str = "/performance") -> str:
    """Go to the provider and sign in there; the address to come back to."""
    away = app.get(doorman.TO_PROVIDER, params={"next": onward})
    assert away.status_code == 302, away.text
    back = httpx.post(away.headers["location"])
    return back.headers["location"].removeprefix(APP)


def sign_in(app: TestClient) -> Any:
    return app.get(at_provider(app))


def entries(action: str) -> list[AuditEntry]:
    return doorman.log().entries(action=action)


def test_somebody_the_provider_knows_gets_the_mapped_role_and_goes_where_they_wanted(
    app: TestClient,
) -> None:
    page = app.get("/sign-in?next=/performance").text
    assert 'href="/sign-in/provider?next=/performance"' in page and "Clinic login" in page
    answer = sign_in(app)
    assert (answer.status_code, answer.headers["location"]) == (303, "/performance")
    assert app.get("/").text == "fact"
    found = doorman.accounts().session(app.cookies[COOKIE])
    assert found and found.who.roles == {Role.OPERATOR}
    (entry,) = entries("access.sign_in")
    assert entry.actor == found.who.id and entry.actor.startswith("oidc:o_")
    assert (entry.outcome, entry.details) == ("done", {"how": "provider", "role": "operator"})
    assert sign_in(app).status_code == 303
    again = doorman.accounts().session(app.cookies[COOKIE])
    assert again and again.who.id == found.who.id


def test_nothing_that_the_provider_says_of_somebody_is_stored(
    app: TestClient, settings: Settings, there: Provider
) -> None:
    sign_in(app)
    files = [f for f in settings.home.rglob("*") if f.is_file()]
    raw = b"".join(f.read_bytes() for f in files)
    for word in ("Lovelace", "clinic.example", "ada-4711", there.issued[-1], SECRET):
        assert word.encode() not in raw, word
    assert not any(word in str(app.cookies) for word in ("Lovelace", "ada-4711", "clinic"))


def test_the_first_entry_of_the_mapping_decides_and_a_plain_claim_will_do(
    app: TestClient, there: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.claims = {"realm_access": {"roles": ["tta-operators", "tta-privacy"]}}
    sign_in(app)
    found = doorman.accounts().session(app.cookies[COOKIE])
    assert found and found.who.roles == {Role.PRIVACY_OFFICER}
    there.claims = {"realm_access.roles": "tta-operators", "realm_access": None}
    sign_in(app)
    found = doorman.accounts().session(app.cookies[COOKIE])
    assert found and found.who.roles == {Role.OPERATOR}


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
    found = doorman.accounts().session(secret)
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
    found = doorman.accounts().session(app.cookies[COOKIE])
    assert found
    assert found.expires_at.timestamp() < time.time() + settings.access.session_hours * 3_600 + 5


def test_a_forged_cookie_opens_nothing(app: TestClient, there: Provider) -> None:
    back = at_provider(app)
    state = parse_qs(urlsplit(back).query)["state"][0]
    token = there.id_token("")
    for name, value in [
        (COOKIE, "guess"),
        (COOKIE, token),
        (COOKIE, f"{token.rpartition('.')[0]}."),
        ("_streamlit_user", json.dumps({"is_logged_in": True, "roles": ["tta-privacy"]})),
    ]:
        app.cookies.clear()
        app.cookies.set(name, value)
        assert app.get("/").status_code == 303
    app.cookies.clear()
    unsigned = {f"_state_provider_{state}": {"data": {"nonce": "", "code_verifier": "x" * 43}}}
    app.cookies.set("tta_monitor_state", json.dumps(unsigned))
    assert app.get(back).status_code == 401
    assert [e.details["why"] for e in entries("access.sign_in")] == ["state_or_code"]


def test_an_answer_in_another_browser_or_a_second_time_is_refused(app: TestClient) -> None:
    back = at_provider(app)
    cookies = dict(app.cookies)
    app.cookies.clear()
    assert app.get(back).status_code == 401
    app.cookies.update(cookies)
    assert app.get(back).status_code == 303
    app.cookies.clear()
    app.cookies.update(cookies)
    assert app.get(back).status_code == 401


def test_a_refusal_of_the_provider_shows_nothing_of_what_it_says(app: TestClient) -> None:
    said = {"error": "access_denied", "error_description": "Ada Lovelace may not", "state": "x"}
    answer = app.get(doorman.FROM_PROVIDER, params=said)
    assert answer.status_code == 401 and "Lovelace" not in answer.text
    (entry,) = entries("access.sign_in")
    assert entry.details == {"how": "provider", "why": "state_or_code"}


def test_nobody_is_sent_to_another_site_afterwards(app: TestClient) -> None:
    answer = app.get(at_provider(app, "//evil.example"))
    assert answer.headers["location"] == "/"


def test_a_provider_that_is_down_says_so_and_local_accounts_go_on(
    app: TestClient, there: Provider
) -> None:
    there.is_down = True
    answer = app.get(doorman.TO_PROVIDER)
    assert answer.status_code == 502 and "does not answer" in answer.text
    assert 'name="password"' in answer.text
    password = "correct horse battery staple"
    doorman.accounts().add("ada", password, Role.OPERATOR, by="os:owner")
    assert app.post("/sign-in", data={"name": "ada", "password": password}).status_code == 303


@pytest.mark.parametrize("fault", ["readable by others", "missing", "empty"])
def test_a_client_secret_that_is_no_secret_is_not_used_and_the_doctor_says_why(
    fault: str, app: TestClient
) -> None:
    oidc = doorman.settings().access.oidc
    assert oidc.client_secret_file
    if fault == "missing":
        oidc.client_secret_file.unlink()
    elif fault == "empty":
        oidc.client_secret_file.write_text("\n")
    else:
        oidc.client_secret_file.chmod(0o644)
    answer = app.get(doorman.TO_PROVIDER)
    assert answer.status_code == 503 and "doctor" in answer.text
    found = {d.name: d for d in doctor.examine(doorman.settings())}["sign-in"]
    assert found.level == "fail" and "client_secret_file" in found.message


def test_the_live_api_and_the_command_line_take_no_session_and_no_token_of_the_provider(
    app: TestClient, there: Provider, settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sign_in(app)
    keys = KeyStore.open(settings.home)
    inner = Starlette(routes=[Route("/api/v1/alerts", lambda _: PlainTextResponse("fact"))])
    live = TestClient(LiveDoor(inner, keys, doorman.log(), doorman.accounts()))
    file = tmp_path / "token"
    monkeypatch.setenv("TTA_MONITOR_ACCESS__TOKEN_FILE", str(file))
    for proof in (app.cookies[COOKIE], there.issued[-1], "opaque"):
        refused = live.get("/api/v1/alerts", headers={"Authorization": f"Bearer {proof}"})
        assert refused.status_code == 401
        file.write_text(proof)
        with pytest.raises(Problem, match="unknown or has expired") as problem:
            permission.require(permission.Right.COMMAND, "status")
        assert problem.value.code == permission.FORBIDDEN


def test_break_glass_lends_to_somebody_of_the_provider_by_their_id(app: TestClient) -> None:
    sign_in(app)
    accounts = doorman.accounts()
    found = accounts.session(app.cookies[COOKIE])
    assert found and accounts.holder(found.who.id) == found.who.id
    assert accounts.holder("oidc:o_000000000000") is None
    accounts.break_glass(
        found.who.id, Role.PRIVACY_OFFICER, reason="incident 12", minutes=5, by="os:owner"
    )
    lent = accounts.session(app.cookies[COOKIE])
    assert lent and Role.PRIVACY_OFFICER in lent.who.roles


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"issuer": "http://login.example.org"}, "issuer must be https"),
        ({"app_url": "http://monitor.example.org"}, "app_url must be https"),
        ({"client_id": ""}, "client_id"),
        ({"roles": {}}, "roles"),
        ({"roles": {"x": "king"}}, "operator"),
        ({"client_secret_file": None}, "client_secret_file"),
        ({"scope": "email"}, "openid"),
    ],
)
def test_half_a_provider_is_refused_with_what_is_missing(
    change: dict[str, Any], named: str, home: Path, there: Provider
) -> None:
    whole = there.settings("/etc/secret") | change
    with pytest.raises(SettingsProblem, match=named):
        load_settings(home, access={"oidc": whole})
    assert load_settings(home).access.oidc.issuer == ""
