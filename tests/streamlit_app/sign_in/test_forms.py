"""Which forms of the app's door count: those of its own pages."""

import re

import pytest
from starlette.websockets import WebSocketDisconnect

from privacy.access.access_policy import Role
from streamlit_app.sign_in import same_origin
from tests.streamlit_app.sign_in.browser import Browser


@pytest.mark.parametrize(
    "said", [{"Origin": "http://testserver.evil.example"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_a_page_of_another_site_or_port_uses_nobodys_session(
    browser: Browser, said: dict[str, str]
) -> None:
    browser.signs_in()
    assert browser.client.put("/_stcore/upload_file/1/2", headers=said).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        browser.client.websocket_connect("/_stcore/stream", headers=said),
    ):
        pass


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_only_our_own_page_signs_out_without_a_question(browser: Browser, site: str) -> None:
    browser.signs_in()
    asked = browser.client.get("/sign-out", headers={"Sec-Fetch-Site": site})
    assert "Do you want to sign out?" in asked.text
    assert browser.opens("/").text == "fact"
    assert browser.posts("/sign-out").status_code == 303
    assert browser.opens("/").status_code == 303


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        # What the page's `Referrer-Policy: no-referrer` made of every form of ours.
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "http://127.0.0.1:8501"}, True),
        ({"Origin": "http://testserver:81"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_a_form_counts_when_the_browser_vouches_for_it(
    browser: Browser, said: dict[str, str], counts: bool
) -> None:
    link = browser.identities.links.create(Role.OPERATOR, hours=1, by="os:owner")
    answer = browser.client.post(f"/sign-in?link={link}", headers=said)
    assert answer.status_code == (303 if counts else 403)
    assert browser.identities.links.is_good(link) is not counts


@pytest.mark.parametrize("said", [{}, {"Origin": "null"}])
def test_where_a_browser_says_nothing_the_token_of_its_own_form_counts(
    browser: Browser, said: dict[str, str]
) -> None:
    link = browser.identities.links.create(Role.OPERATOR, hours=1, by="os:owner")
    page = browser.opens(f"/sign-in?link={link}").text
    (token,) = re.findall(r'name="token" value="(\w+)"', page)
    nonce = browser.client.cookies[same_origin.COOKIE]
    browser.client.cookies.set(same_origin.COOKIE, "x" * 43)
    foreign = browser.client.post(f"/sign-in?link={link}", data={"token": token}, headers=said)
    assert foreign.status_code == 403
    browser.client.cookies.clear()
    browser.client.cookies.set(same_origin.COOKIE, nonce)
    ours = browser.client.post(f"/sign-in?link={link}", data={"token": token}, headers=said)
    assert ours.status_code == 303


def test_a_form_that_never_ends_is_not_read(browser: Browser) -> None:
    answer = browser.posts("/sign-in", name="ada", password="x" * 20_000)
    assert answer.status_code == 403
