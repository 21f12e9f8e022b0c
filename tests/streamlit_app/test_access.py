"""The app's door and the check of each page: every role at every page, no session, errors."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDisconnect
from streamlit.error_util import handle_user_script_exception
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from privacy.access import Right, Role, load_policy
from privacy.accounts import Accounts
from privacy.audit import AuditLog
from privacy.keys import KeyStore
from streamlit_app import data, doorman
from streamlit_app.door import Door, routes
from streamlit_app.doorman import COOKIE
from streamlit_app.server import note_error
from tests.conftest import ROOT
from tests.signing_in import session_secret, sign_in_page_test

VIEWS = sorted(
    f.stem for f in (ROOT / "streamlit_app" / "views").glob("*.py") if f.stem != "__init__"
)
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def fresh_caches(settings: Settings):
    for cached in (data.settings, data.client, data._marts):
        cached.clear()
    doorman.forget()
    yield
    doorman.forget()


def view(name: str) -> AppTest:
    return AppTest.from_file(
        str(ROOT / "streamlit_app" / "views" / f"{name}.py"), default_timeout=60
    )


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("role", list(Role))
def test_a_page_opens_for_the_roles_of_the_policy_and_no_other(
    name: str, role: Role, settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    shown = sign_in_page_test(view(name), settings.home, role).run()
    assert not shown.exception
    refused = doorman.log().entries(action="access.page", outcome="refused")
    if load_policy().allows(frozenset({role}), Right.PAGE, name):
        assert refused == []
        assert shown.subheader
        return
    assert [e.target for e in refused] == [name]
    assert not shown.subheader and not shown.metric and not shown.dataframe
    assert "your role may not" in shown.warning[0].value.lower()


@pytest.mark.parametrize("name", VIEWS)
def test_a_page_without_a_session_shows_nothing(name: str) -> None:
    shown = view(name).run()
    assert not shown.exception and not shown.subheader
    assert "session has ended" in shown.info[0].value


def test_data_of_another_audience_is_refused_even_when_a_page_would_ask(
    settings: Settings,
) -> None:
    def ask() -> None:
        import streamlit as st

        from streamlit_app import data as readings

        readings.marts("SELECT 1")
        st.subheader("was answered")

    shown = sign_in_page_test(AppTest.from_function(ask), settings.home, Role.DESIGNER).run()
    assert not shown.subheader
    (entry,) = doorman.log().entries(outcome="refused")
    assert (entry.action, entry.target) == ("access.audience", "operations")


@pytest.mark.parametrize("role", list(Role))
def test_who_may_decide_about_errors_and_alerts_and_the_log_says_who_did(
    role: Role, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide() -> None:
        import streamlit as st

        from streamlit_app import data, error_actions
        from streamlit_app.components import alert_cards

        class Store:
            def mute(self, key: str, by: str) -> None:
                st.session_state["muted_by"] = by

        class Client:
            def post(self, path: str, **body: str) -> None:
                st.session_state["posted_for"] = body["acting_for"]
                raise ValueError("enough")

        data.client = Client
        if st.session_state["wanted"] == "errors":
            error_actions.mute(Store(), "0123456789abcdef0123456789abcdef")
        else:
            alert_cards.act("/api/v1/alerts/1f3a/acknowledge")

    monkeypatch.setattr(data, "client", data.client)
    policy = load_policy()
    for wanted, kept in (("errors", "muted_by"), ("alerts", "posted_for")):
        shown = sign_in_page_test(AppTest.from_function(decide), settings.home, role)
        shown.session_state["wanted"] = wanted
        shown.run()
        assert not shown.exception
        (entry,) = doorman.log().entries(action="access.action", limit=1)
        assert (entry.actor, entry.target) == ("user:u_test", f"{wanted}.change")
        is_allowed = policy.allows(frozenset({role}), Right.ACTION, f"{wanted}.change")
        assert entry.outcome == ("done" if is_allowed else "refused")
        about = {"verb": "mute", "group": "0123456789abcdef0123456789abcdef"}
        expected = about if wanted == "errors" else {"id": "1f3a", "verb": "acknowledge"}
        assert entry.details == expected
        assert (kept in shown.session_state) == is_allowed
        if is_allowed:
            assert shown.session_state[kept] == "user:u_test"


class Browser:
    """A client before the door."""

    def __init__(self, settings: Settings) -> None:
        async def socket(websocket) -> None:
            await websocket.accept()
            await websocket.close()

        keys = KeyStore.open(settings.home)
        self.accounts = Accounts(settings.home, keys, AuditLog(settings.home, keys))
        inner = Starlette(
            routes=[
                *routes(),
                WebSocketRoute("/_stcore/stream", socket),
                Route("/{path:path}", lambda _: PlainTextResponse("fact")),
            ],
            middleware=[Middleware(Door)],
        )
        self.client = TestClient(inner, follow_redirects=False)

    def post(self, path: str, **form: str):
        return self.client.post(path, data=form)


@pytest.fixture
def browser(settings: Settings) -> Browser:
    return Browser(settings)


@pytest.mark.parametrize("path", ["/", "/performance", "/media/x.csv", "/_stcore/host-config"])
def test_nothing_is_served_without_a_session(browser: Browser, path: str) -> None:
    answer = browser.client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={path}"
    with pytest.raises(WebSocketDisconnect), browser.client.websocket_connect("/_stcore/stream"):
        pass
    browser.client.cookies.set(COOKIE, "guess")
    assert browser.client.get(path).status_code == 303


def test_signing_in_sets_a_cookie_that_scripts_cannot_read_and_signing_out_ends_it(
    browser: Browser,
) -> None:
    browser.accounts.add("ada", PASSWORD, Role.OPERATOR, by="os:owner")
    wrong = browser.post("/sign-in", name="ada", password="wrong wrong wrong")
    assert wrong.status_code == 401 and "or password is wrong" in wrong.text
    assert COOKIE not in wrong.cookies and "wrong wrong" not in wrong.text
    answer = browser.post("/sign-in?next=/performance", name="ada", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/performance")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert browser.client.get("/").text == "fact"
    with browser.client.websocket_connect("/_stcore/stream"):
        pass
    secret = browser.client.cookies[COOKIE]
    assert browser.client.get("/sign-out").headers["location"] == "/sign-in"
    browser.client.cookies.set(COOKIE, secret)
    assert browser.client.get("/").status_code == 303


def test_a_link_signs_in_once_and_looking_at_it_does_not_spend_it(browser: Browser) -> None:
    link = browser.accounts.first_link()
    for _ in range(2):
        page = browser.client.get(f"/sign-in?link={link}")
        assert page.status_code == 200 and 'name="password"' not in page.text
    assert browser.post(f"/sign-in?link={link}").status_code == 303
    browser.client.cookies.clear()
    again = browser.post(f"/sign-in?link={link}")
    assert again.status_code == 401 and "was used or has expired" in again.text


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(browser: Browser, target: str) -> None:
    link = browser.accounts.link(Role.OPERATOR, hours=1, by="os:owner")
    answer = browser.client.post("/sign-in", params={"link": link, "next": target})
    assert answer.headers["location"] == "/"


def test_a_form_of_another_site_is_refused(browser: Browser) -> None:
    answer = browser.client.post("/sign-in", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_with_sign_in_off_everything_is_served(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTA_MONITOR_ACCESS__SIGN_IN", "off")
    doorman.forget()
    assert browser.client.get("/").text == "fact"


def test_an_error_is_logged_by_its_type_alone(capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("canary amelie@example.com")
    handle_user_script_exception(error, note_error)
    said = capsys.readouterr()
    assert "ValueError" in said.out + said.err
    assert "canary" not in said.out + said.err


def test_break_glass_in_the_app_lends_and_says_so(settings: Settings) -> None:
    keys = KeyStore.open(settings.home)
    accounts = Accounts(settings.home, keys, AuditLog(settings.home, keys))
    accounts.add("ada", PASSWORD, Role.OPERATOR, by="os:owner")
    shown = sign_in_page_test(view("account"), settings.home, Role.PRIVACY_OFFICER).run()
    shown.text_input[0].set_value("ada")
    shown.selectbox[0].set_value("privacy_officer")
    shown.text_input[1].set_value("incident 12")
    shown.button[0].click().run()
    assert not shown.exception and shown.success
    secret = accounts.sign_in("ada", PASSWORD, hours=1)
    session = accounts.session(secret)
    assert session and Role.PRIVACY_OFFICER in session.who.roles
    other = sign_in_page_test(view("account"), settings.home, Role.OPERATOR).run()
    assert not other.button


def test_the_secret_is_not_in_the_home(settings: Settings) -> None:
    secret = session_secret(settings.home)
    files: list[Path] = [f for f in settings.home.rglob("*") if f.is_file()]
    assert files and not any(secret.encode() in f.read_bytes() for f in files)
