"""The door of the live API: a bearer token with a role, or the token of this home's own processes.

Here: recognising the caller of `/api/…` and asking the policy. Not here: the routes (`api`) and the
policy (`privacy/access/access_policy`). Health and metrics stay open: they carry no fact.
"""

import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingestion.doors.service_token import service_token
from live_tail.http.client import ACTING_FOR
from privacy.access.access_policy import ADMINISTRATOR, Forbidden, Guard, Principal, Right
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog, Outcome
from privacy.keys.key_store import KeyStore

_ACCOUNT = re.compile(r"[a-z]{2,12}:[a-z]_[0-9a-z]{4,40}\Z")
_QUERY = "/api/v1/query/"
_ID = re.compile(r"[0-9a-f]{4,32}\Z")
_VERBS = frozenset({"acknowledge", "resolve", "end", "test"})


@dataclass(frozen=True)
class _Action:
    """Who changes what, for the entry of how it went."""

    who: Principal
    name: str
    about: dict[str, str]


class Door:
    """ASGI middleware: 401 for nobody known, 403 for a role that may not."""

    def __init__(
        self,
        app: ASGIApp,
        keys: KeyStore,
        log: AuditLog,
        identities: Identities,
        *,
        is_open: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._log, self._identities = app, log, identities
        self._guard = Guard(log)
        self._service = service_token(keys).encode()
        self._is_open = is_open
        self._clock = clock
        self._noted_at = -1.0
        self._unnoted = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let pass, or answer."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answer = await run_in_threadpool(self._refusal, request)
        action: _Action | None = getattr(request.state, "action", None)
        if answer is not None or action is None:
            await (answer or self._app)(scope, receive, send)
        else:
            await self._act(action, scope, receive, send)

    async def _act(self, action: "_Action", scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an action on; its entry says how it went, and is on disk before the answer leaves."""
        is_noted = False

        async def note(status: int) -> None:
            nonlocal is_noted
            is_noted = True
            outcome: Outcome = "done" if status < 400 else "refused" if status < 500 else "failed"
            about = action.about if outcome == "done" else action.about | {"why": str(status)}
            await run_in_threadpool(
                lambda: self._guard.note_action(action.who, action.name, outcome, **about)
            )

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                await note(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            if not is_noted:
                await note(500)

    def _refusal(self, request: Request) -> JSONResponse | None:
        who = self._caller(request.headers)
        if who is None:
            self._note()
            message = (
                "this needs a bearer token: create one with `./tta.sh monitor access token create` and "
                "send it as `Authorization: Bearer TOKEN`"
            )
            return JSONResponse({"error": message}, 401, {"WWW-Authenticate": "Bearer"})
        request.state.who = who.id
        if self._has_asked(who):
            return None
        right, name = _asked(request.method, request.url.path)
        details = about(request.url.path)
        try:
            self._guard.require(who, right, name, **details)
        except Forbidden as problem:
            return JSONResponse({"error": str(problem)}, 403)
        if right is Right.ACTION:
            request.state.action = _Action(who, name, details)
        return None

    def _has_asked(self, who: Principal) -> bool:
        """The app asks the policy and leaves the entry before it acts for an account."""
        return who.roles == ADMINISTRATOR.roles and who.id != ADMINISTRATOR.id

    def _caller(self, headers: Headers) -> Principal | None:
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        is_ours = scheme.lower() == "bearer" and hmac.compare_digest(
            secret.strip().encode(), self._service
        )
        if is_ours or self._is_open:
            account = headers.get(ACTING_FOR, "")
            known = is_ours and _ACCOUNT.match(account)
            return Principal(account, ADMINISTRATOR.roles) if known else ADMINISTRATOR
        if scheme.lower() != "bearer":
            return None
        return self._identities.tokens.holder(secret.strip())

    def _note(self) -> None:
        """One entry a second at most: a flood of strangers must not fill the log."""
        self._unnoted += 1
        if self._noted_at < 0 or self._clock() - self._noted_at >= 1:
            self._noted_at = self._clock()
            self._log.append(
                actor="unknown", action="access.live_api", outcome="refused", calls=self._unnoted
            )
            self._unnoted = 0


def _asked(method: str, path: str) -> tuple[Right, str]:
    """What a call needs: reading is a query, anything else an action."""
    if path.startswith(_QUERY):
        return Right.QUERY, path.removeprefix(_QUERY).strip("/")
    area = path.split("/")[3] if path.count("/") >= 3 else ""
    return (Right.QUERY, area) if method in {"GET", "HEAD"} else (Right.ACTION, f"{area}.change")


def about(path: str) -> dict[str, str]:
    """What of a path may be written down: an id of ours and what is done to it."""
    parts = path.split("/")[4:]
    ids = [part for part in parts if _ID.match(part)]
    verbs = [part for part in parts if part in _VERBS]
    return {name: found[0] for name, found in (("id", ids), ("verb", verbs)) if found}
