"""The app's door: a middleware that lets only sessions pass, and no longer than they last.

Here: who passes, and where everybody else is led. Not here: signing in and out (`entrance`), accounts
(`privacy/access/identities`), what a role may see (`gate`), what an answer allows browsers to do
(`safe_answers`). The session's secret is in a cookie that scripts cannot read; roles never leave the
server.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ingestion.doors.turned_away import FOREIGN_ORIGIN
from privacy.keys.key_store import KeyProblem
from streamlit_app.sign_in import batch_page, entrance, safe_answers
from streamlit_app.sign_in.doorman import COOKIE, identities, is_open, turn_away
from streamlit_app.sign_in.same_origin import READING, is_navigation, is_of_another_site

_FREE = (*entrance.PATHS, "/app/static/", "/_stcore/health", "/_stcore/host-config")
"""What needs no session: the way in, our icon and font, and two constants of Streamlit's that an open
page asks for before it connects again; only then can it be told that its session is over."""
_LOOK_EVERY_S = 2.0
# The tab in which somebody signs out is on its way already; overtaken, it would say that a session had ended.
_ON_ITS_WAY_S = 1.0
_ENDED = 1008


class Door:
    """ASGI middleware over everything that Streamlit serves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = safe_answers.SafeAnswers(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a session on; lead anybody else to the sign-in page."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if _is_free(scope["path"]):
            await self._app(scope, receive, send)
        elif scope["method"] not in READING and is_of_another_site(headers):
            await run_in_threadpool(turn_away, FOREIGN_ORIGIN)
            await _refusal(403)(scope, receive, send)
        elif await is_signed_in(scope):
            await self._app(scope, receive, send)
        elif is_navigation(scope["method"], headers):
            target = f"/sign-in?next={quote(_address(scope), safe='/')}"
            await RedirectResponse(target, 303, safe_answers.NOT_KEPT)(scope, receive, send)
        else:
            await _refusal(401)(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An open page: connected while its session lasts, then led to the sign-in page."""
        headers = Headers(scope=scope)
        if is_of_another_site(headers):
            await run_in_threadpool(turn_away, FOREIGN_ORIGIN)
            await send({"type": "websocket.close", "code": _ENDED})
        elif await is_signed_in(scope):
            await _while_it_lasts(self._app, scope, receive, send, lambda: _lasts(scope))
        else:
            await receive()
            spoken = next(iter(scope.get("subprotocols") or ()), None)
            await send({"type": "websocket.accept", "subprotocol": spoken})
            await _lead_out(scope, send)


async def is_signed_in(scope: Scope) -> bool:
    """Whether a request carries a session that has not ended."""
    if is_open():
        return True
    secret = HTTPConnection(scope).cookies.get(COOKIE)
    return bool(secret and await run_in_threadpool(identities().sessions.find, secret))


async def _lasts(scope: Scope) -> bool:
    """Whether an open page may go on: a lent role may end before its session."""
    if batch_page.is_behind(scope["path"]):
        return await run_in_threadpool(batch_page.may_look, scope)
    return await is_signed_in(scope)


async def _while_it_lasts(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    is_alive: Callable[[], Awaitable[bool]],
) -> None:
    """Run a websocket; when its session ends, nothing more is sent but the way out."""
    has_ended = False
    watch: asyncio.Task[None] | None = None

    async def look() -> None:
        nonlocal has_ended
        while await _surely(is_alive):
            await asyncio.sleep(_LOOK_EVERY_S)
        has_ended = True
        await asyncio.sleep(_ON_ITS_WAY_S)
        await _lead_out(scope, send)

    async def guarded(message: Message) -> None:
        nonlocal watch
        if has_ended:
            return
        await send(message)
        if message["type"] == "websocket.accept":
            watch = asyncio.create_task(look())

    try:
        await app(scope, receive, guarded)
    finally:
        if watch:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


async def _surely(is_alive: Callable[[], Awaitable[bool]]) -> bool:
    """Whether a session lasts; when nobody can tell, the sign-in page will."""
    try:
        return await is_alive()
    except (sqlite3.Error, KeyProblem, OSError):
        return False


async def _lead_out(scope: Scope, send: Send) -> None:
    """Tell the page in Streamlit's own words to go to the sign-in page, and hang up.

    The page's address comes with the request for it, as referrer: there the person returns to. Dagster's
    page knows by the code alone (`batch_page`).
    """
    told = ForwardMsg()
    told.metadata.SetInParent()
    told.auth_redirect.url = "/sign-in?because=ended"
    with suppress(RuntimeError, OSError):  # The browser may have left already.
        if not batch_page.is_behind(scope["path"]):
            await send({"type": "websocket.send", "bytes": told.SerializeToString()})
        await send({"type": "websocket.close", "code": _ENDED})


def _refusal(status: int) -> Response:
    words = "sign in first" if status == 401 else "this came from another site"
    return PlainTextResponse(words, status, safe_answers.NOT_KEPT)


def _is_free(path: str) -> bool:
    return any(path == free or (free.endswith("/") and path.startswith(free)) for free in _FREE)


def _address(scope: Scope) -> str:
    """Path and query as the browser wrote them."""
    query = scope["query_string"].decode("latin-1")
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    return f"{path.partition('?')[0]}?{query}" if query else path.partition("?")[0]
