"""Requests and websockets passed on to Dagster, and its answers passed back.

Here: which headers travel, bodies in pieces, our policy and our line in its page. Not here: whether somebody
may look, the connection (`batch_page`).
"""

import re
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from dagster_project.process.page_rules import ASKED_BY, CHANGE, MAY_CHANGE
from privacy.access.access_policy import Principal, Right
from streamlit_app.sign_in import doorman, safe_answers

if TYPE_CHECKING:
    import httpx

REFUSED = 1008
_OF_ONE_CONNECTION = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailer "
    "transfer-encoding upgrade".split()
)
OURS = _OF_ONE_CONNECTION | {"cookie", "authorization", "accept-encoding", ASKED_BY, MAY_CHANGE}
"""What Dagster does not hear from a browser."""
_NONCE = re.compile(r"'nonce-([0-9a-zA-Z]{16,64})'")
_WATCH = """<script nonce="%s">(() => {
  const out = () => location.assign(
    "/sign-in?because=ended&next=" + encodeURIComponent(location.pathname + location.search));
  const ask = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await ask(...asked);
    if (answer.status === 401) out();
    return answer;
  };
  window.WebSocket = class extends WebSocket {
    constructor(...asked) {
      super(...asked);
      this.addEventListener("close", (end) => { if (end.code === %d) out(); });
    }
  };
})()</script>"""
"""Dagster's page keeps asking; the first answer that its session is over leads to the sign-in page."""


class Left(Exception):
    """The browser went before it had said all."""


def target_of(scope: Scope) -> bytes:
    """Path and query as the browser wrote them."""
    path: bytes = scope["raw_path"].partition(b"?")[0]
    return path + (b"?" + scope["query_string"] if scope["query_string"] else b"")


def headers_for(scope: Scope, who: Principal, without: Iterable[str]) -> list[tuple[str, str]]:
    """The browser's headers and who asks; nothing that a browser could claim itself."""
    kept = [(n, v) for n, v in Headers(scope=scope).items() if n not in without]
    kept += [(ASKED_BY, who.id), ("accept-encoding", "identity")]
    if doorman.guard().allows(who, Right.ACTION, CHANGE):
        kept.append((MAY_CHANGE, "1"))
    return kept


async def body_of(receive: Receive) -> AsyncIterator[bytes]:
    """The pieces of a request's body; raises Left."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def pass_back(answer: "httpx.Response", scope: Scope, send: Send) -> None:
    """Dagster's answer; its HTML under our policy, with our line in it."""
    host = Headers(scope=scope).get("host", "")
    asked = _NONCE.search(answer.headers.get("content-security-policy", ""))
    gone = _OF_ONE_CONNECTION | {"content-security-policy", "feature-policy"}
    headers = [(n, v) for n, v in answer.headers.raw if n.decode("latin-1").lower() not in gone]
    if asked:
        page = await answer.aread()
        watch = _WATCH % (asked[1], REFUSED)
        page = page.replace(b"</title>", b"</title>" + watch.encode(), 1)
        headers = [(n, v) for n, v in headers if n.lower() != b"content-length"]
        headers += [
            (b"content-length", b"%d" % len(page)),
            (b"content-security-policy", safe_answers.policy(host, asked[1]).encode()),
        ]
        await send(_start(answer, headers))
        await send({"type": "http.response.body", "body": page})
        return
    await send(_start(answer, headers))
    async for piece in answer.aiter_raw():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _start(answer: "httpx.Response", headers: list[tuple[bytes, bytes]]) -> Message:
    return {
        "type": "http.response.start",
        "status": answer.status_code,
        "headers": [(n.lower(), v) for n, v in headers],
    }


async def outwards(receive: Receive, far: Any) -> None:
    """From the browser to Dagster, until the browser leaves."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        await far.send(text if text is not None else message.get("bytes") or b"")


async def inwards(far: Any, send: Send) -> None:
    """From Dagster to the browser, until Dagster hangs up."""
    async for piece in far:
        kind = "text" if isinstance(piece, str) else "bytes"
        await send({"type": "websocket.send", kind: piece})
