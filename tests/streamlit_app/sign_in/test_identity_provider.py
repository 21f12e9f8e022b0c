"""Signing in through an identity provider: who gets in as what, and every way that is none."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ingestion.settings import Settings, SettingsProblem, load_settings
from live_tail.http.access import Door as LiveDoor
from privacy.access.access_policy import Role
from privacy.keys.key_store import KeyStore
from streamlit_app.sign_in import doorman
from streamlit_app.sign_in.doorman import COOKIE
from tests.identity_provider import SECRET, Provider
from tests.streamlit_app.sign_in.conftest import at_provider, entries, sign_in
from tta_monitor.console import permission
from tta_monitor.console.problems import Problem
from tta_monitor.watching import doctor


def test_somebody_the_provider_knows_gets_the_mapped_role_and_goes_where_they_wanted(
    app: TestClient,
) -> None:
    page = app.get("/sign-in?next=/performance").text
    assert 'href="/sign-in/provider?next=/performance"' in page and "Clinic login" in page
    answer = sign_in(app)
    assert (answer.status_code, answer.headers["location"]) == (303, "/performance")
    assert app.get("/").text == "fact"
    found = doorman.identities().sessions.find(app.cookies[COOKIE])
    assert found and found.who.roles == {Role.OPERATOR}
    (entry,) = entries("access.sign_in")
    assert entry.actor == found.who.id and entry.actor.startswith("oidc:o_")
    assert (entry.outcome, entry.details) == ("done", {"how": "provider", "role": "operator"})
    assert sign_in(app).status_code == 303
    again = doorman.identities().sessions.find(app.cookies[COOKIE])
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
    found = doorman.identities().sessions.find(app.cookies[COOKIE])
    assert found and found.who.roles == {Role.PRIVACY_OFFICER}
    there.claims = {"realm_access.roles": "tta-operators", "realm_access": None}
    sign_in(app)
    found = doorman.identities().sessions.find(app.cookies[COOKIE])
    assert found and found.who.roles == {Role.OPERATOR}


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
    doorman.identities().accounts.add("ada", password, Role.OPERATOR, by="os:owner")
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
    found = {d.name: d for d in doctor.examine(doorman.settings())}["client_secret_file"]
    assert found.level == "fail" and "client_secret_file" in found.message


def test_the_live_api_and_the_command_line_take_no_session_and_no_token_of_the_provider(
    app: TestClient, there: Provider, settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sign_in(app)
    keys = KeyStore.open(settings.home)
    inner = Starlette(routes=[Route("/api/v1/alerts", lambda _: PlainTextResponse("fact"))])
    live = TestClient(LiveDoor(inner, keys, doorman.log(), doorman.identities()))
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
    identities = doorman.identities()
    found = identities.sessions.find(app.cookies[COOKIE])
    assert found and identities.sessions.holder(found.who.id) == found.who.id
    assert identities.sessions.holder("oidc:o_000000000000") is None
    identities.break_glass.lend(
        found.who.id, Role.PRIVACY_OFFICER, reason="incident 12", minutes=5, by="os:owner"
    )
    lent = identities.sessions.find(app.cookies[COOKIE])
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
