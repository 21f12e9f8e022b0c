"""Dagster's page behind the app's door: who gets there, what Dagster hears, what the browser is told.

What real browsers make of it is in `tests/e2e/test_every_port.py`.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocket, WebSocketDisconnect

from dagster_project.process.page_rules import ASKED_BY, MAY_CHANGE
from ingestion.doors.home_socket import listen
from ingestion.settings import load_settings
from privacy.access.access_policy import Right, Role, load_policy
from streamlit_app.sign_in import door, doorman
from streamlit_app.sign_in.batch_page import BatchPage
from streamlit_app.sign_in.door import Door
from streamlit_app.sign_in.doorman import COOKIE

NONCE = "0123456789abcdef0123456789abcdef"
SHOWN = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
OURS = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
LOOKING = [r for r in Role if load_policy().allows(frozenset({r}), Right.PAGE, "dagster")]
LONG = "a data home with a path that no socket's address takes" * 3


class Dagster:
    """Stands where Dagster listens; keeps what it hears."""

    def __init__(self, path: Path) -> None:
        self.heard: list[dict[str, str]] = []
        self.closed: list[int] = []
        app = Starlette(
            routes=[
                WebSocketRoute("/dagster/graphql", self._subscribe),
                Route("/dagster/graphql", self._ask, methods=["POST"]),
                Route("/dagster/download", lambda _: PlainTextResponse("x" * 3_000_000)),
                Route("/dagster", self._page),
                Route("/dagster/{path:path}", self._page),
            ]
        )
        config = uvicorn.Config(app, lifespan="off", log_level="error")
        self._server = uvicorn.Server(config)
        listening = listen(path)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)

    def _page(self, request: Request) -> HTMLResponse:
        self.heard.append(dict(request.headers))
        policy = f"script-src 'nonce-{NONCE}' 'unsafe-inline' https: http: 'strict-dynamic'"
        html = f"<title>Dagster</title><script>1</script>{request.url.path}?{request.url.query}"
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def _ask(self, request: Request) -> JSONResponse:
        self.heard.append(dict(request.headers))
        return JSONResponse({"got": await request.json()})

    async def _subscribe(self, websocket: WebSocket) -> None:
        self.heard.append(dict(websocket.headers))
        await websocket.accept("graphql-ws")
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect as end:
            self.closed.append(end.code)


@pytest.fixture(params=["home", LONG])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a short and with a long path."""
    folder = tmp_path / request.param
    folder.mkdir()
    monkeypatch.setenv("TTA_MONITOR_HOME", str(folder))
    return folder


@pytest.fixture
def dagster(home: Path) -> Iterator[Dagster]:
    stands_in = Dagster(load_settings(home).dagster_socket)
    yield stands_in
    stands_in.stop()


@pytest.fixture
def client(settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(door, "_LOOK_EVERY_S", 0.01)
    doorman.forget()
    behind = Starlette(
        routes=[Route("/{path:path}", lambda _: HTMLResponse("the app"))],
        middleware=[Middleware(Door), Middleware(BatchPage)],
    )
    with TestClient(behind, follow_redirects=False) as inside:
        yield inside
    doorman.forget()


@pytest.fixture
def enters(client: TestClient) -> Callable[[Role], str]:
    """Sign in as a role; the secret of the session."""

    def enter(role: Role) -> str:
        secret = doorman.identities().sessions.begin(
            "user:u_0123456789ab", role, hours=1, how="test"
        )
        client.cookies.set(COOKIE, secret)
        return secret

    return enter


def subscribed(client: TestClient, said: dict[str, str] | None = None) -> WebSocketTestSession:
    """A websocket as Dagster's page opens it."""
    spoken = ["graphql-ws"]
    return client.websocket_connect("/dagster/graphql", subprotocols=spoken, headers=said or {})


@pytest.mark.parametrize("path", ["/dagster", "/dagster/", "/dagster/runs?q=a%20b"])
def test_nobody_gets_there_without_a_session(
    client: TestClient, dagster: Dagster, path: str
) -> None:
    for secret in (None, "guess"):
        if secret:
            client.cookies.set(COOKIE, secret)
        assert client.get(path, headers=SHOWN).status_code == 303
        assert client.get(path, headers=OURS).status_code == 401
        assert client.post("/dagster/graphql", headers=OURS, json={}).status_code == 401
        with subscribed(client) as wire:
            with pytest.raises(WebSocketDisconnect) as end:
                wire.receive_text()
            assert end.value.code == 1008
    assert dagster.heard == []


@pytest.mark.parametrize("role", list(Role))
def test_the_roles_of_the_policy_get_there_and_no_other(
    client: TestClient, dagster: Dagster, enters: Callable[[Role], str], role: Role
) -> None:
    enters(role)
    shown = client.get("/dagster/runs", headers=SHOWN)
    asked = client.post("/dagster/graphql", headers=OURS, json={"query": "{version}"})
    if role in LOOKING:
        assert (shown.status_code, asked.json()) == (200, {"got": {"query": "{version}"}})
        with subscribed(client) as wire:
            wire.send_text("start")
            assert (wire.accepted_subprotocol, wire.receive_text()) == ("graphql-ws", "start")
        return
    assert (shown.status_code, asked.status_code) == (403, 403)
    assert "Your role may not use page dagster" in shown.text and 'href="/account"' in shown.text
    assert "your role may not" in asked.text
    with pytest.raises(WebSocketDisconnect), subscribed(client):
        pass
    assert dagster.heard == []
    refused = doorman.log().entries(action="access.page", outcome="refused")
    assert {(e.actor, e.target) for e in refused} == {("user:u_0123456789ab", "dagster")}


def test_operators_and_admins_are_the_ones_who_look() -> None:
    assert LOOKING == [Role.OPERATOR, Role.ADMIN]


def test_dagster_hears_who_asks_and_neither_cookies_nor_what_a_browser_claims(
    client: TestClient, dagster: Dagster, enters: Callable[[Role], str]
) -> None:
    secret = enters(Role.OPERATOR)
    claims = {
        ASKED_BY: "user:u_somebodyelse",
        MAY_CHANGE: "no",
        "Authorization": f"Bearer {secret}",
    }
    client.get("/dagster/runs", headers=SHOWN | claims)
    client.post("/dagster/graphql", headers=OURS | claims, json={})
    with subscribed(client, claims):
        pass
    assert len(dagster.heard) == 3
    for heard in dagster.heard:
        assert (heard[ASKED_BY], heard[MAY_CHANGE]) == ("user:u_0123456789ab", "1")
        assert not any(secret in value for value in heard.values())
        assert "cookie" not in heard and "authorization" not in heard


def test_its_page_runs_under_our_policy_and_learns_when_its_session_ends(
    client: TestClient, dagster: Dagster, enters: Callable[[Role], str]
) -> None:
    enters(Role.ADMIN)
    answer = client.get("/dagster/runs?q=a%20b", headers=SHOWN)
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'nonce-{NONCE}' 'strict-dynamic'" in policy
    assert "default-src 'none'" in policy and "ws://testserver" in policy
    assert "http:" not in policy and "https:" not in policy and "'unsafe-eval'" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    head, _, rest = answer.text.partition(f'<script nonce="{NONCE}">')
    assert head == "<title>Dagster</title>" and "/sign-in?because=ended" in rest
    assert "/dagster/runs?q=a%20b" in rest
    assert len(client.get("/dagster/download", headers=OURS).content) == 3_000_000
    assert client.get("/dagsterly", headers=SHOWN).text == "the app"


@pytest.mark.parametrize("how", ["signed out", "password changed", "disabled", "expired"])
def test_an_open_websocket_ends_with_its_session(
    client: TestClient, dagster: Dagster, how: str
) -> None:
    identities, password = doorman.identities(), "correct horse battery staple"
    identities.accounts.add("ada", password, Role.OPERATOR, by="os:owner")
    hours = 1 if how != "expired" else 1 / 3_600
    secret = identities.sessions.sign_in("ada", password, hours=hours)
    client.cookies.set(COOKIE, secret)
    with subscribed(client) as wire:
        wire.send_text("start")
        assert wire.receive_text() == "start"
        if how == "signed out":
            identities.sessions.sign_out(secret)
        elif how == "password changed":
            identities.accounts.change("ada", by="os:owner", password=f"{password} anew")
        elif how == "disabled":
            identities.accounts.change("ada", by="os:owner", is_disabled=True)
        with pytest.raises(WebSocketDisconnect) as end:
            wire.receive_text()
        assert end.value.code == 1008
    assert client.post("/dagster/graphql", headers=OURS, json={}).status_code == 401
    assert client.get("/dagster", headers=SHOWN).headers["location"].startswith("/sign-in")


def test_an_open_websocket_ends_with_a_role_that_was_lent(
    client: TestClient, dagster: Dagster, enters: Callable[[Role], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    enters(Role.OPERATOR)
    with subscribed(client) as wire:
        monkeypatch.setattr(doorman.guard(), "allows", lambda *_: False)
        with pytest.raises(WebSocketDisconnect) as end:
            wire.receive_text()
        assert end.value.code == 1008


@pytest.mark.parametrize(
    "said",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Origin": "http://evil.example"},
    ],
)
def test_a_page_of_another_site_gets_nothing_of_it(
    client: TestClient, dagster: Dagster, enters: Callable[[Role], str], said: dict[str, str]
) -> None:
    enters(Role.ADMIN)
    change = {"query": "mutation{reloadWorkspace{__typename}}"}
    assert client.get("/dagster/graphql", headers=said, params=change).status_code == 403
    assert client.post("/dagster/graphql", headers=said, json=change).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        subscribed(client, said),
    ):
        pass
    assert dagster.heard == []
    assert doorman.turned_away().counts["foreign_origin"] == 3
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/dagster/runs", headers=followed).status_code == 200


def test_while_dagster_is_down_the_page_says_so_and_the_app_goes_on(
    client: TestClient, enters: Callable[[Role], str]
) -> None:
    enters(Role.OPERATOR)
    answer = client.get("/dagster", headers=SHOWN)
    assert answer.status_code == 503 and "monitor status" in answer.text
    assert client.post("/dagster/graphql", headers=OURS, json={}).status_code == 503
    with pytest.raises(WebSocketDisconnect), subscribed(client):
        pass
    assert client.get("/", headers=SHOWN).text == "the app"


def test_a_browser_that_leaves_takes_its_subscription_along(
    client: TestClient, dagster: Dagster, enters: Callable[[Role], str]
) -> None:
    enters(Role.OPERATOR)
    with subscribed(client) as wire:
        wire.send_text("start")
        wire.receive_text()

    async def left() -> None:
        while not dagster.closed:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(left(), 30))


def test_with_sign_in_off_whoever_is_at_this_machine_looks(
    client: TestClient, dagster: Dagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTA_MONITOR_ACCESS__SIGN_IN", "off")
    doorman.forget()
    assert client.get("/dagster", headers=SHOWN).status_code == 200
    assert dagster.heard[0][ASKED_BY] == "os:owner"
