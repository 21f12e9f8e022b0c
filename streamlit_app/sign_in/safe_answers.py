"""What every answer tells browsers: whom a page may ask, who may frame it, whether to keep it.

Here: the headers. Not here: who gets an answer (`door`). No page asks another host for anything, so that
nobody else learns who looks and when. Scripts are files of this app, and the one line inside Streamlit's
page by its hash; charts need no `unsafe-eval`, because Streamlit interprets Vega's expressions.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_KEPT = {"Cache-Control": "no-store"}
PLAIN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Of our pages without a script."""
_KEPT = ("/static/", "/app/static/", "/favicon.", "/dagster/_next/static/")
"""Files that are the same for everybody; all else is gone from a browser after signing out."""
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


class SafeAnswers:
    """ASGI middleware that adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add what the answer does not say itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(MutableHeaders(scope=message), scope)
            await send(message)

        await self._app(scope, receive, with_headers)


def _complete(answer: MutableHeaders, scope: Scope) -> None:
    for name, value in _ALWAYS.items():
        answer.setdefault(name, value)
    answer.setdefault("Content-Security-Policy", policy(Headers(scope=scope).get("host", "")))
    if not scope["path"].startswith(_KEPT):
        answer["Cache-Control"] = NOT_KEPT["Cache-Control"]


def policy(host: str, nonce: str = "") -> str:
    """The Content-Security-Policy of the app's pages, for a browser that reaches us by this host.

    With a nonce it is that of a page whose scripts carry it and load the rest, as Dagster's do.
    """
    scripts = f"'nonce-{nonce}' 'strict-dynamic'" if nonce else f"'self' {_inline_hashes()}"
    # Some browsers do not take a websocket to the same host for `'self'`.
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts} 'wasm-unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self' data:",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            f"connect-src 'self'{sockets}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


@cache
def _inline_hashes() -> str:
    """The scripts written into Streamlit's page, which change with its version."""
    page = Path(streamlit.__file__).with_name("static") / "index.html"
    hashes = (hashlib.sha256(found).digest() for found in _SCRIPT.findall(page.read_bytes()))
    return " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in hashes)
