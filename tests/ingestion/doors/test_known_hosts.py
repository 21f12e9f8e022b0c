"""Every HTTP door answers under its own names only, and to no page of another site."""

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from ingestion.doors.known_hosts import KnownHosts

_SITE = "https://play.example.org"


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(b"taken " + body)(scope, receive, send)


def _ask(method: str = "POST", **headers: str) -> httpx.Response:
    door = KnownHosts(
        _app, ["monitor.example.org"], setting="receiver.hosts", origins=[_SITE + "/"]
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(door)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4318") as c:
            return await c.request(method, "/v1/traces", headers=named, content=b"x")

    return asyncio.run(asked())


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4318",
        "[::1]:4318",
        "localhost",
        "LOCALHOST:9",
        "10.1.2.3",
        "Monitor.example.org:4318",
    ],
)
def test_addresses_and_own_names_are_answered(host: str) -> None:
    assert _ask(host=host).text == "taken x"


@pytest.mark.parametrize(
    "host", ["evil.example:4318", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_a_name_that_is_not_ours_is_refused_and_told_where_to_name_it(host: str) -> None:
    answer = _ask(host=host)
    assert answer.status_code == 421
    assert "receiver.hosts" in answer.text


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", _SITE + ".evil"]
)
def test_a_page_of_another_site_gets_nothing_done(origin: str) -> None:
    answer = _ask(origin=origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_nor_does_its_image(site: str) -> None:
    assert _ask("GET", sec_fetch_site=site).status_code == 403
    assert _ask("GET", sec_fetch_site="same-origin").status_code == 200
    assert _ask("GET", sec_fetch_site="none").status_code == 200


def test_a_page_of_the_door_itself_is_no_other_site() -> None:
    assert _ask(origin="http://127.0.0.1:4318").status_code == 200


def test_a_site_that_is_named_may_ask_first_and_send() -> None:
    asked = _ask("OPTIONS", origin=_SITE, access_control_request_method="POST")
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-methods"] == "POST"
    sent = _ask(origin=_SITE, sec_fetch_site="cross-site")
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, _SITE)
    assert sent.headers["vary"] == "Origin"


def test_where_the_application_judges_origins_itself_only_names_are_looked_at() -> None:
    door = KnownHosts(_app, (), setting="app.hosts", judges_origin=False)

    async def asked(host: str) -> int:
        transport = httpx.ASGITransport(door)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as c:
            return (await c.post("/", headers={"origin": "http://evil.example"})).status_code

    assert asyncio.run(asked("127.0.0.1")) == 200
    assert asyncio.run(asked("evil.example")) == 421
