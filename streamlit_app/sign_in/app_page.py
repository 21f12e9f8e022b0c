"""Streamlit's one HTML page with what is ours in it: our name, where the app answers, our script.

Here: changing the page on its way out. Not here: headers (`safe_answers`), what the scripts do (`static`).
Scripts are files of ours, so that the policy of `safe_answers` stays as it is.
"""

from functools import lru_cache

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TITLE = b"<title>Streamlit</title>"
_OURS = (
    b"<title>TTA Monitor</title>"
    b'<script src="/app/static/base.js"></script><script defer src="/app/static/app.js"></script>'
)
_PAGE = "text/html"


class AppPage:
    """ASGI middleware around Streamlit: every answer passes, its page is changed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold a page back until it is whole, then send it changed."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        page = _Page(send)
        await self._app(_uncompressed(scope), receive, page.take)


def _uncompressed(scope: Scope) -> Scope:
    """The request, without leave to compress what has to be read here: pages alone ask for HTML."""
    asks_for_page = any(n == b"accept" and _PAGE.encode() in v for n, v in scope["headers"])
    if not asks_for_page:
        return scope
    return {**scope, "headers": [(n, v) for n, v in scope["headers"] if n != b"accept-encoding"]}


class _Page:
    """One answer on its way out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def take(self, message: Message) -> None:
        """Pass a message on, or keep it until the page is whole."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            is_page = headers.get("content-type", "").startswith(_PAGE)
            if is_page and "content-encoding" not in headers:
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish()

    async def _finish(self) -> None:
        start, self._start = self._start, None
        assert start is not None  # noqa: S101 - only called with one
        body = _changed(self._body)
        if self._body:
            MutableHeaders(scope=start)["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


@lru_cache(4)
def _changed(page: bytes) -> bytes:
    return page.replace(_TITLE, _OURS, 1)
