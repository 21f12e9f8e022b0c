"""Streamlit's page carries our name and says where the app answers; all else passes as it is."""

from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from streamlit_app.sign_in.app_page import AppPage
from streamlit_app.sign_in.safe_answers import policy

PAGE = (Path(streamlit.__file__).with_name("static") / "index.html").read_text()


def whole(_: Request) -> Response:
    return HTMLResponse(PAGE)


def in_pieces(_: Request) -> Response:
    async def pieces():
        for start in range(0, len(PAGE), 1_000):
            yield PAGE[start : start + 1_000]

    return StreamingResponse(pieces(), media_type="text/html")


def plain(request: Request) -> Response:
    return PlainTextResponse(request.headers.get("accept-encoding", "none"))


def packed(_: Request) -> Response:
    return Response(b"\x1f\x8b", media_type="text/html", headers={"Content-Encoding": "br"})


@pytest.fixture
def client() -> TestClient:
    made = Starlette(routes=[Route(f"/{f.__name__}", f) for f in (whole, in_pieces, plain, packed)])
    return TestClient(AppPage(made))


@pytest.mark.parametrize("path", ["/whole", "/in_pieces"])
def test_the_page_has_our_name_and_our_scripts_before_streamlits(
    client: TestClient, path: str
) -> None:
    answer = client.get(path)
    assert "<title>TTA Monitor</title>" in answer.text and "<title>Streamlit" not in answer.text
    assert answer.text.index("/app/static/base.js") < answer.text.index('type="module"')
    assert int(answer.headers.get("content-length", len(answer.content))) == len(answer.content)


def test_the_policy_needs_no_new_leave_for_them(client: TestClient) -> None:
    inside = [
        part for part in client.get("/whole").text.split("<script")[1:] if "src=" not in part[:60]
    ]
    assert len(inside) == 1, "the one line of Streamlit's own, which the policy knows by its hash"
    assert "script-src 'self'" in policy("a:1")


def test_other_answers_pass_as_they_are(client: TestClient) -> None:
    assert client.get("/plain", headers={"Accept": "*/*"}).text != "none"
    assert client.get("/plain", headers={"Accept": "text/html"}).text == "none"
    with client.stream("GET", "/packed") as answer:
        assert b"".join(answer.iter_raw()) == b"\x1f\x8b"
    assert client.head("/whole").status_code in {200, 405}
