"""Under which names an HTTP door answers, and to pages of which other sites.

Here: a middleware that refuses a foreign `Host` (421) and a foreign `Origin` (403), and answers browsers
of the origins that are named (CORS, as the Fetch standard has it). Not here: who may come in at all (each
door's own), and where refusals are seen (`turned_away`). A name that an attacker's DNS points to this
machine is foreign (DNS rebinding); an address is nobody's name, so it is not.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingestion.doors.turned_away import FOREIGN_HOST, FOREIGN_ORIGIN

_ELSEWHERE = (b"cross-site", b"same-site")
_OURS = frozenset({"localhost"})
_NOT_OURS = 421
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-encoding, content-type, x-sentry-auth",
    "Access-Control-Max-Age": "600",
}


class KnownHosts:
    """ASGI middleware. `names` are further host names, `origins` the other sites that may send.

    Without `judges_origin` the application judges where requests come from itself. `note` hears why
    somebody was refused, in a word of `turned_away`.
    """

    def __init__(
        self,
        app: ASGIApp,
        names: Iterable[str],
        *,
        setting: str,
        origins: Iterable[str] = (),
        judges_origin: bool = True,
        note: Callable[[str], None] | None = None,
    ) -> None:
        own = {name.lower() for name in (socket.gethostname(), *names)}
        self._app, self._names, self._setting = app, _OURS | own, setting
        self._judges_origin, self._note = judges_origin, note
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._is_known = lru_cache(maxsize=256)(self._looked_up)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        host, origin, is_foreign = _from_where(scope["headers"])
        refusal = self._refusal(host, origin, is_foreign=is_foreign)
        if refusal is not None:
            await self._refuse(scope, receive, send, refusal)
        elif origin is None or origin not in self._origins:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            answer = Response(status_code=204, headers=_allowing(origin) | _PREFLIGHT)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, _told(send, origin))

    def _refusal(
        self, host: str | None, origin: str | None, *, is_foreign: bool
    ) -> Response | None:
        if not self._is_known(host):
            words = f"this door is not called {_name_of(host or '')[:80]!r}: name it in {self._setting}\n"
            return PlainTextResponse(words, _NOT_OURS)
        if not self._judges_origin or _is_own(origin, host) or origin in self._origins:
            return None
        if origin is None and not is_foreign:
            return None
        return PlainTextResponse("this came from a page of another site\n", 403)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
        if self._note is not None:
            why = FOREIGN_HOST if answer.status_code == _NOT_OURS else FOREIGN_ORIGIN
            await run_in_threadpool(self._note, why)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, send)

    def _looked_up(self, host: str | None) -> bool:
        name = _name_of(host or "")
        return not name or name in self._names or _is_address(name)


def _from_where(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str | None, str | None, bool]:
    """`Host`, `Origin`, and whether a browser says that it stood on another site.

    With an image or a link it sends no `Origin`.
    """
    host = origin = None
    is_foreign = False
    for name, value in headers:
        if name == b"host":
            host = value.decode("latin-1")
        elif name == b"origin":
            origin = value.decode("latin-1").lower()
        elif name == b"sec-fetch-site":
            is_foreign = value in _ELSEWHERE
    return host, origin, is_foreign


def _is_own(origin: str | None, host: str | None) -> bool:
    """A page of this door itself, whatever the scheme in front of it."""
    return bool(origin and host) and urlsplit(origin).netloc == (host or "").lower()


def _name_of(host: str) -> str:
    """The name without its port; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _allowing(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _told(send: Send, origin: str) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_allowing(origin))
        await send(message)

    return told
