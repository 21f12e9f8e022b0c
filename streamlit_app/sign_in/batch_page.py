"""Dagster's page behind the app's door: `/dagster`, for the roles that the access policy lists.

Here: whether a role may look, and the connection to the socket on which only this home's processes come in.
Not here: what is passed on and back (`passing_on`), the session (`doorman`), what a request may change there
(`dagster_project/process/page_rules`). Its scripts go through our Content-Security-Policy; its page
learns from one line of ours that its session is over. What passing on needs is loaded when somebody
comes.
"""

import asyncio
from contextlib import ExitStack, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dagster_project.process.page_rules import PREFIX
from ingestion.doors.home_socket import short
from ingestion.doors.turned_away import FOREIGN_ORIGIN
from privacy.access.access_policy import ADMINISTRATOR, Forbidden, Principal, Right
from privacy.process_log.log import logger
from streamlit_app.sign_in import doorman, safe_answers
from streamlit_app.sign_in.passing_on import (
    OURS,
    REFUSED,
    Left,
    body_of,
    headers_for,
    inwards,
    outwards,
    pass_back,
    target_of,
)
from streamlit_app.sign_in.same_origin import is_navigation, is_of_another_site
from streamlit_app.sign_in.sign_in_page import refusal_page

if TYPE_CHECKING:
    import httpx

PAGE = "dagster"
"""The page's name in the access policy."""
_DOWN = 1013
_SOCKETS = frozenset(
    "host sec-websocket-key sec-websocket-version sec-websocket-extensions sec-websocket-protocol".split()
)
_IS_DOWN = (
    "Dagster does not answer. It may be starting: try again in a moment, or see what "
    "`./tta.sh monitor status` says."
)
_log = logger()


def is_behind(path: str) -> bool:
    """Whether a path of the app is Dagster's."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def may_look(scope: Scope) -> bool:
    """Whether whoever asks is signed in with a role that may look at Dagster's page; no entry."""
    who = _who(scope)
    return who is not None and doorman.guard().allows(who, Right.PAGE, PAGE)


class BatchPage:
    """ASGI middleware behind the door: what is under `/dagster` is Dagster's, all else the app's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = ExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on to Dagster or to the app, or refuse."""
        if scope["type"] not in {"http", "websocket"} or not is_behind(scope["path"]):
            await self._app(scope, receive, send)
            return
        who = await run_in_threadpool(_who, scope)
        problem = await run_in_threadpool(_problem, who)
        if scope["type"] == "websocket":
            if who is None or problem:
                await send({"type": "websocket.close", "code": REFUSED})
            else:
                await self._connect(who, scope, receive, send)
        elif who is None or problem:
            await _refusal(scope, 403, problem or "sign in first")(scope, receive, send)
        elif is_of_another_site(headers := Headers(scope=scope)) and not is_navigation(
            scope["method"], headers
        ):
            await run_in_threadpool(doorman.turn_away, FOREIGN_ORIGIN)
            await _refusal(scope, 403, "this came from another site")(scope, receive, send)
        else:
            await self._ask(who, scope, receive, send)

    async def _ask(self, who: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        import httpx  # noqa: PLC0415 - 8 MB for whoever never looks

        target = httpx.URL("http://dagster").copy_with(raw_path=target_of(scope))
        body = None if scope["method"] in {"GET", "HEAD"} else body_of(receive)
        try:
            request = self._client.build_request(
                scope["method"], target, headers=headers_for(scope, who, OURS), content=body
            )
            answer = await self._client.send(request, stream=True)
        except Left:
            return
        except (httpx.TransportError, OSError) as error:
            _log.warning("Dagster's page does not answer", cause=type(error).__name__)
            await _refusal(scope, 503, _IS_DOWN)(scope, receive, send)
            return
        try:
            await pass_back(answer, scope, send)
        finally:
            await answer.aclose()

    async def _connect(self, who: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        from websockets import ConnectionClosed, InvalidHandshake, Subprotocol  # noqa: PLC0415
        from websockets.asyncio.client import unix_connect  # noqa: PLC0415

        await receive()
        host = Headers(scope=scope).get("host", "dagster")
        try:
            far = await unix_connect(
                self._socket,
                uri=f"ws://{host}{target_of(scope).decode('latin-1')}",
                subprotocols=[Subprotocol(one) for one in scope.get("subprotocols") or ()] or None,
                additional_headers=headers_for(scope, who, OURS | _SOCKETS),
                compression=None,
                max_size=None,
            )
        except (OSError, InvalidHandshake, TimeoutError) as error:
            _log.warning("Dagster's page does not answer", cause=type(error).__name__)
            await send({"type": "websocket.close", "code": _DOWN})
            return
        async with far:
            await send({"type": "websocket.accept", "subprotocol": far.subprotocol})
            ways = [
                asyncio.ensure_future(outwards(receive, far)),
                asyncio.ensure_future(inwards(far, send)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
                with suppress(asyncio.CancelledError, ConnectionClosed):
                    await way
        with suppress(RuntimeError, OSError):  # The browser may have left already.
            await send({"type": "websocket.close", "code": far.close_code or 1000})

    @cached_property
    def _socket(self) -> str:
        """The socket's name, good while this process lives."""
        return self._open.enter_context(short(doorman.settings().dagster_socket))

    @cached_property
    def _client(self) -> "httpx.AsyncClient":
        import httpx  # noqa: PLC0415

        # No TLS on a socket of this machine: its certificates would cost 20 ms and 2 MB.
        transport = httpx.AsyncHTTPTransport(uds=self._socket, verify=False)
        return httpx.AsyncClient(
            transport=transport, timeout=httpx.Timeout(180, connect=5), trust_env=False
        )


def _who(scope: Scope) -> Principal | None:
    if doorman.is_open():
        return ADMINISTRATOR
    secret = HTTPConnection(scope).cookies.get(doorman.COOKIE)
    session = doorman.identities().sessions.find(secret) if secret else None
    return session.who if session else None


def _problem(who: Principal | None) -> str:
    """Why somebody may not look at all, with an audit entry."""
    if who is None:
        return "sign in first"
    try:
        doorman.guard().require(who, Right.PAGE, PAGE)
    except Forbidden as problem:
        return str(problem)
    return ""


def _refusal(scope: Scope, status: int, words: str) -> Response:
    if is_navigation(scope["method"], Headers(scope=scope)):
        words = f"{words[:1].upper()}{words[1:]}"
        return HTMLResponse(
            refusal_page(words),
            status,
            {**safe_answers.NOT_KEPT, "Content-Security-Policy": safe_answers.PLAIN_POLICY},
        )
    return PlainTextResponse(words, status, safe_answers.NOT_KEPT)
