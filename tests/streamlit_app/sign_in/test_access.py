"""The check of each page: every role at every page, no session, errors; the door is `test_door`."""

from pathlib import Path

import pytest
from streamlit.error_util import handle_user_script_exception
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from privacy.access.access_policy import Right, Role, load_policy
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from streamlit_app.page_files import FILES
from streamlit_app.readings import source
from streamlit_app.server import note_error
from streamlit_app.sign_in import doorman
from tests.pages import tables, tiles, title
from tests.signing_in import session_secret, sign_in_page_test

VIEWS = sorted(FILES)
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def fresh_caches(settings: Settings):
    for cached in (source.settings, source.client, source._marts):
        cached.clear()
    doorman.forget()
    yield
    doorman.forget()


def view(name: str) -> AppTest:
    return AppTest.from_file(str(FILES[name]), default_timeout=180)


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
        assert title(shown)
        return
    assert [e.target for e in refused] == [name]
    assert not title(shown) and not tiles(shown) and not tables(shown) and not shown.dataframe
    assert "your role may not" in shown.warning[0].value.lower()


@pytest.mark.parametrize("name", VIEWS)
def test_a_page_without_a_session_shows_nothing(name: str) -> None:
    shown = view(name).run()
    assert not shown.exception and not title(shown)
    assert "session has ended" in shown.info[0].value


def test_data_of_another_audience_is_refused_even_when_a_page_would_ask(
    settings: Settings,
) -> None:
    def ask() -> None:
        import streamlit as st

        from streamlit_app.readings import source

        source.marts("SELECT 1")
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

        from streamlit_app.actions import errors as error_actions
        from streamlit_app.components.alerts import cards as alert_cards
        from streamlit_app.readings import source

        class Store:
            def mute(self, key: str, by: str) -> None:
                st.session_state["muted_by"] = by

        class Client:
            def post(self, path: str, **body: str) -> None:
                st.session_state["posted_for"] = body["acting_for"]
                raise ValueError("this alert is over")

        source.client = Client
        if st.session_state["wanted"] == "errors":
            error_actions.mute(Store(), "0123456789abcdef0123456789abcdef")
        else:
            alert_cards.act("/api/v1/alerts/1f3a/acknowledge")

    monkeypatch.setattr(source, "client", source.client)
    policy = load_policy()
    for wanted, kept in (("errors", "muted_by"), ("alerts", "posted_for")):
        shown = sign_in_page_test(AppTest.from_function(decide), settings.home, role)
        shown.session_state["wanted"] = wanted
        shown.run()
        assert not shown.exception
        (entry,) = doorman.log().entries(action="access.action", limit=1)
        assert (entry.actor, entry.target) == ("user:u_test", f"{wanted}.change")
        is_allowed = policy.allows(frozenset({role}), Right.ACTION, f"{wanted}.change")
        # The store took it; the live tail refused, whoever asked.
        is_done = is_allowed and wanted == "errors"
        assert entry.outcome == ("done" if is_done else "refused")
        about = {"verb": "mute", "group": "0123456789abcdef0123456789abcdef"}
        expected = about if wanted == "errors" else {"id": "1f3a", "verb": "acknowledge"}
        why = {"why": "ValueError"} if is_allowed and not is_done else {}
        assert entry.details == expected | why
        assert (kept in shown.session_state) == is_allowed
        if is_allowed:
            assert shown.session_state[kept] == "user:u_test"


def test_an_error_is_logged_by_its_type_alone(capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("canary amelie@example.com")
    handle_user_script_exception(error, note_error)
    said = capsys.readouterr()
    assert "ValueError" in said.out + said.err
    assert "canary" not in said.out + said.err


def test_break_glass_in_the_app_lends_and_says_so(settings: Settings) -> None:
    keys = KeyStore.open(settings.home)
    identities = Identities(settings.home, keys, AuditLog(settings.home, keys))
    identities.accounts.add("ada", PASSWORD, Role.OPERATOR, by="os:owner")
    shown = sign_in_page_test(view("account"), settings.home, Role.PRIVACY_OFFICER).run()
    shown.text_input[0].set_value("ada")
    shown.selectbox[0].set_value("privacy_officer")
    shown.text_input[1].set_value("incident 12")
    shown.button[0].click().run()
    assert not shown.exception and shown.success
    secret = identities.sessions.sign_in("ada", PASSWORD, hours=1)
    session = identities.sessions.find(secret)
    assert session and Role.PRIVACY_OFFICER in session.who.roles
    other = sign_in_page_test(view("account"), settings.home, Role.OPERATOR).run()
    assert not other.button


def test_the_secret_is_not_in_the_home(settings: Settings) -> None:
    secret = session_secret(settings.home)
    files: list[Path] = [f for f in settings.home.rglob("*") if f.is_file()]
    assert files and not any(secret.encode() in f.read_bytes() for f in files)
