"""The app's door over HTTP: who passes, which forms count, what every answer tells browsers.

What real browsers make of it is in `tests/e2e/test_door_in_browsers.py`.
"""

import re
import sqlite3
from urllib.parse import quote

import pytest
from starlette.websockets import WebSocketDisconnect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from privacy.access.access_policy import Role
from streamlit_app.sign_in import door, doorman
from streamlit_app.sign_in.doorman import COOKIE
from tests.streamlit_app.sign_in.browser import OURS, PASSWORD, Browser


@pytest.mark.parametrize("path", ["/", "/performance", "/overview?range=15+min", "/media/x.csv"])
def test_nobody_passes_without_a_session_and_the_page_asked_for_is_kept(
    browser: Browser, path: str
) -> None:
    answer = browser.opens(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={quote(path, safe='/')}"
    assert browser.signs_in().status_code == 303
    browser.client.cookies.set(COOKIE, "guess")
    assert browser.opens(path).status_code == 303


def test_what_no_person_sees_gets_a_status_and_not_a_page(browser: Browser) -> None:
    for mode in ("cors", "no-cors"):
        answer = browser.client.get("/media/x.csv", headers={"Sec-Fetch-Mode": mode})
        assert (answer.status_code, answer.text) == (401, "sign in first")


def test_a_websocket_without_a_session_is_told_nothing_but_the_way_out(browser: Browser) -> None:
    with browser.client.websocket_connect(
        "/_stcore/stream", subprotocols=["streamlit"]
    ) as open_page:
        told = ForwardMsg.FromString(open_page.receive_bytes())
        assert told.WhichOneof("type") == "auth_redirect"
        assert told.auth_redirect.url == "/sign-in?because=ended"
        with pytest.raises(WebSocketDisconnect):
            open_page.receive_bytes()


def test_an_open_page_hears_nothing_more_when_its_session_ends(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_LOOK_EVERY_S", 0.01)
    browser.signs_in()
    with browser.client.websocket_connect("/_stcore/stream") as open_page:
        open_page.send_bytes(b"fact")
        assert open_page.receive_bytes() == b"fact"
        browser.identities.sessions.sign_out(browser.client.cookies[COOKIE])
        told = ForwardMsg.FromString(open_page.receive_bytes())
        assert told.auth_redirect.url == "/sign-in?because=ended"
        open_page.send_bytes(b"fact")
        with pytest.raises(WebSocketDisconnect):
            open_page.receive_bytes()


def test_an_open_page_ends_when_nobody_can_tell_whether_its_session_lasts(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_LOOK_EVERY_S", 0.01)
    browser.signs_in()

    def no_disk(_: str) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with browser.client.websocket_connect("/_stcore/stream") as open_page:
        open_page.send_bytes(b"fact")
        assert open_page.receive_bytes() == b"fact"
        monkeypatch.setattr(browser.identities.sessions, "find", no_disk)
        told = ForwardMsg.FromString(open_page.receive_bytes())
        assert told.auth_redirect.url == "/sign-in?because=ended"


def test_signing_in_sets_a_cookie_that_scripts_cannot_read_and_signing_out_ends_it(
    browser: Browser,
) -> None:
    browser.identities.accounts.add("ada", PASSWORD, Role.OPERATOR, by="os:owner")
    wrong = browser.posts("/sign-in", name="ada", password="wrong wrong wrong")
    assert wrong.status_code == 401 and "or password is wrong" in wrong.text
    assert COOKIE not in wrong.cookies and "wrong wrong" not in wrong.text
    answer = browser.posts("/sign-in?next=/performance", name="ada", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/performance")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert browser.opens("/").text == "fact"
    secret = browser.client.cookies[COOKIE]
    left = browser.client.get("/sign-out", headers=OURS)
    assert left.headers["location"] == "/sign-in?because=out"
    assert "signed out" in browser.opens(left.headers["location"]).text
    browser.client.cookies.set(COOKIE, secret)
    assert browser.opens("/").status_code == 303


def test_a_link_signs_in_once_and_looking_at_it_does_not_spend_it(browser: Browser) -> None:
    link = browser.identities.links.first()
    for _ in range(2):
        page = browser.opens(f"/sign-in?link={link}")
        assert page.status_code == 200 and 'name="password"' not in page.text
    assert browser.posts(f"/sign-in?link={link}").status_code == 303
    browser.client.cookies.clear()
    for again in (browser.opens(f"/sign-in?link={link}"), browser.posts(f"/sign-in?link={link}")):
        assert "was used or has expired" in again.text and 'name="password"' in again.text
    assert (again.status_code, COOKIE in browser.client.cookies) == (401, False)


def test_whoever_is_signed_in_keeps_a_link_good_or_leaves_the_old_session(
    browser: Browser,
) -> None:
    browser.signs_in()
    first = browser.client.cookies[COOKIE]
    assert browser.opens("/sign-in?next=/errors").headers["location"] == "/errors"
    link = browser.identities.links.create(Role.ADMIN, hours=1, by="os:owner")
    page = browser.opens(f"/sign-in?link={link}")
    assert "signed in already" in page.text and browser.identities.links.is_good(link)
    assert browser.posts(f"/sign-in?link={link}").status_code == 303
    assert browser.identities.sessions.find(first) is None
    session = browser.identities.sessions.find(browser.client.cookies[COOKIE])
    assert session and session.who.roles == {Role.ADMIN}


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-out", "/sign-in?next=/"],
)
def test_nobody_is_sent_to_another_site_or_in_a_circle(browser: Browser, target: str) -> None:
    link = browser.identities.links.create(Role.OPERATOR, hours=1, by="os:owner")
    answer = browser.posts(f"/sign-in?link={link}&next={quote(target)}")
    assert answer.headers["location"] == "/"


def test_whose_session_ended_returns_to_the_page_that_was_open(browser: Browser) -> None:
    page = browser.opens(
        "/sign-in?because=ended", Referer="http://testserver/overview?range=15+min"
    )
    assert "session has ended" in page.text
    assert 'action="/sign-in?next=%2Foverview%3Frange%3D15%2Bmin"' in page.text
    elsewhere = browser.opens("/sign-in", Referer="https://evil.example/overview")
    assert 'action="/sign-in?next=%2F"' in elsewhere.text


def test_every_answer_says_that_pages_ask_nobody_else(browser: Browser) -> None:
    browser.signs_in()
    for path in ("/", "/media/x.csv", "/static/js/index.js", "/sign-in?link=x", "/favicon.png"):
        answer = browser.opens(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "'unsafe-eval'" not in policy and not re.search(r"https:|\*|http:", policy)
        is_kept = path.startswith(("/static/", "/favicon"))
        assert ("no-store" in answer.headers.get("cache-control", "")) is not is_kept


def test_the_policy_names_the_script_inside_streamlits_page_and_no_made_up_host(
    browser: Browser,
) -> None:
    browser.signs_in()
    policy = browser.opens("/").headers["content-security-policy"]
    assert re.search(r"script-src 'self' [^;]*'sha256-", policy) and "ws://testserver" in policy
    strange = browser.opens("/", Host="a.example; script-src *")
    assert "a.example" not in strange.headers["content-security-policy"]


def test_with_sign_in_off_everything_is_served(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTA_MONITOR_ACCESS__SIGN_IN", "off")
    doorman.forget()
    assert browser.opens("/").text == "fact"
    assert browser.opens("/sign-in?next=/errors").headers["location"] == "/errors"
