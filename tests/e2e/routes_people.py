"""Routes of people and their tools: the live API, notifications, the app and Dagster's page behind it.

Here: senders of private texts through them, each yields the doors it went through. Not here: the list
(`routes`), looking for the texts (`test_every_route`).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import Subprotocol
from websockets.sync.client import connect as open_socket

from dagster_project.process.page_rules import PREFIX
from ingestion.receivers.doors.http import JSON
from streamlit_app.page_files import FILES
from streamlit_app.sign_in.doorman import COOKIE
from tests.e2e import exports
from tests.e2e.canaries import Canary
from tests.e2e.doors import live_routes
from tests.e2e.stage import Stage, answers, beside, until
from tests.processes import free_port, live_headers
from tests.signing_in import session_secret


def live_api(stage: Stage) -> Iterator[str]:
    """Every path of the live API with texts in path, query and body; alerts from outside."""
    base = f"http://127.0.0.1:{stage.processes.settings.live.port}"
    client = httpx.Client(base_url=base, timeout=60, headers=live_headers(stage.home))
    chosen = stage.some(6)
    alerts = [
        {
            "labels": {"alertname": f"Outside{n}", "severity": "critical", "player": exports.in_token_field(c)},
            "annotations": {"summary": c.sentence, "description": c.sentence, c.text: c.text},
            "generatorURL": f"https://x.example/?q={c.text}",
        }
        for n, c in enumerate(chosen)
    ]  # fmt: skip
    for number, (method, path) in enumerate(live_routes()):
        for canary in chosen[number * 3 : number * 3 + 3]:
            filled = path.replace("{id}", canary.text).replace("{name}", canary.text)
            body = {
                "by": canary.text, "note": canary.sentence, "comment": canary.sentence, "duration": "1h",
                "matchers": ['alertname="Nothing"'], "unknown": canary.text,
            }  # fmt: skip
            query = {"matcher": canary.text, "limit": canary.text, "x": canary.sentence}
            given: Any = alerts if path == "/api/v2/alerts" else body
            more = {"json": given} if method == "POST" else {"params": query}
            answer = client.request(method, filled, **more)
            assert answer.status_code < 500, (method, path, answer.status_code)
            client.request(method, filled, headers={"Authorization": f"Bearer {canary.text}"})
            client.post(filled, content=canary.sentence.encode(), headers={"Content-Type": JSON})
        yield f"live {method} {path}"
    id_ = client.get("/api/v1/alerts").json()["alerts"][0]["id"]
    noted = {"by": chosen[0].sentence, "note": chosen[0].sentence}
    assert client.post(f"/api/v1/alerts/{id_}/acknowledge", json=noted).is_success
    client.close()


def notifications(stage: Stage) -> Iterator[str]:
    """What the notifier sends and prints of those alerts; the other channels take the same payload."""
    stage.processes.start("live_tail.alerts.notify.notifier")
    wire = stage.outside / "wire.bin"
    until(lambda: wire.exists() and wire.read_bytes().count(b"Outside") >= len(stage.some(6)), 180)
    until(lambda: b"Outside" in stage.processes.output(), 180)
    yield from (
        f"channel {kind}" for kind in ("webhook", "console", "pagerduty", "apprise", "desktop")
    )


def app(stage: Stage) -> Iterator[str]:
    """Signing in with private names, and every page failing over a private text."""
    texts = stage.texts("page.txt", stage.some(7))
    pages = sorted(FILES)
    with _app(
        stage, "tests.e2e.faults", "streamlit_app.sign_in.permission:page", str(texts)
    ) as base:
        ours = {"Sec-Fetch-Site": "same-origin"}
        with httpx.Client(base_url=base, timeout=30, headers=ours) as client:
            for canary in stage.some(7)[:6]:
                form = {"name": canary.text, "password": canary.text}
                client.get("/favicon.png", params={"x": canary.text})
                client.get("/favicon.ico", params={"x": canary.text})
                client.post("/sign-in", data=form, params={"next": f"/{canary.text}"})
                client.get("/sign-out", params={"x": canary.text})
                client.get("/sign-in/provider", params={"next": canary.text})
                told = {"state": canary.text, "code": canary.text, "error_description": canary.text}
                client.get("/sign-in/provider/callback", params=told)
        yield from ("app /sign-in", "app /sign-out", "app /favicon.png", "app /favicon.ico")
        yield from ("app /sign-in/provider", "app /sign-in/provider/callback")
        for page in pages:
            stage.heard("pages.bin", _page(base, stage.home, page))
            yield f"page {page}"
    # The same line again is counted, not written.
    assert b"page failed" in stage.processes.output()


_RUNS = "{runsOrError(limit: 100) {... on Runs {results {runId status tags {key value}}}}}"
_LOGS = """query Logs($id: ID!) {logsForRun(runId: $id) {... on EventConnection {events {
    ... on MessageEvent {message} ... on ErrorEvent {error {message stack}}}}}}"""


def dagster_page(stage: Stage) -> Iterator[str]:
    """Dagster's page behind the app: asked in private words, and for all that it keeps of the runs."""
    ours = {"Sec-Fetch-Site": "same-origin"}
    session = {COOKIE: session_secret(stage.home)}
    with (
        beside(stage, "dagster_project.process", "serve"),
        _app(stage) as base,
        httpx.Client(base_url=base, timeout=60, headers=ours, cookies=session) as client,
    ):

        def ask(query: str, **variables: str) -> httpx.Response:
            asked = {"query": query, "variables": variables}
            return client.post(f"{PREFIX}/graphql", json=asked)

        until(lambda: ask("{version}").is_success, 180)
        for canary in stage.some(6)[:18]:
            _ask_in_private_words(client, canary)
        runs = ask(_RUNS).json()["data"]["runsOrError"]["results"]
        assert "FAILURE" in {run["status"] for run in runs}, runs
        for run in runs:
            logs = ask(_LOGS, id=run["runId"]).json()["data"]["logsForRun"]
            assert logs["events"], run
            stage.heard("dagster.bin", json.dumps([run, logs], ensure_ascii=False).encode())
        stage.heard("dagster.bin", client.get(f"{PREFIX}/runs").content)
    yield f"app {PREFIX}"


def _ask_in_private_words(client: httpx.Client, canary: Canary) -> None:
    """Whoever asks may be answered in the words of the question, so the answers are not heard."""
    graphql, text = f"{PREFIX}/graphql", canary.text
    for body in (
        {"query": f"{{ {text} }}"},
        {"query": _LOGS, "variables": {"id": text}},
        {"query": f"mutation {{terminateRun(runId: {json.dumps(text)}) {{__typename}}}}"},
    ):
        client.post(graphql, json=body)
    client.post(graphql, content=canary.sentence.encode(), headers={"Content-Type": JSON})
    client.post(graphql, data={"query": text})
    client.get(graphql, params={"query": text})
    client.get(f"{PREFIX}/runs/{text}", params={"q[]": f"tag:{text}"})
    cookie = f"{COOKIE}={client.cookies[COOKIE]}"
    address = f"{str(client.base_url).replace('http', 'ws', 1).rstrip('/')}{graphql}"
    with open_socket(
        address,
        subprotocols=[Subprotocol("graphql-ws")],
        additional_headers={"Cookie": cookie, "Origin": str(client.base_url).rstrip("/")},
    ) as wire:
        wire.send(json.dumps({"type": "connection_init", "payload": {"player": text}}))
        assert json.loads(wire.recv(timeout=60))["type"] == "connection_ack"
        wire.send(json.dumps({"type": "start", "id": text, "payload": {"query": canary.sentence}}))
        wire.recv(timeout=60)


@contextmanager
def _app(stage: Stage, *around: str) -> Iterator[str]:
    """The app at an address of its own, perhaps with something around it."""
    port = free_port()
    arguments = f"run streamlit_app/server.py --server.headless=true --server.port {port}".split()
    with beside(stage, *around, "streamlit", *arguments, "--server.address=127.0.0.1"):
        base = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{base}/_stcore/health"), 180)
        yield base


def _page(address: str, home: Path, page: str) -> bytes:
    """What the app sends to a browser that opens a page."""
    cookie = f"{COOKIE}={session_secret(home)}"
    said = b""
    stream = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
    with open_socket(stream, additional_headers={"Cookie": cookie}, max_size=None) as browser:
        asked = BackMsg()
        asked.rerun_script.page_name = page
        browser.send(asked.SerializeToString())
        while True:
            piece = browser.recv(timeout=30)
            said += piece
            if ForwardMsg.FromString(piece).WhichOneof("type") == "script_finished":
                return said
