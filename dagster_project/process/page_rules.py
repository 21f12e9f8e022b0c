"""What a request at Dagster's page may do, and what is written down of it.

Here: GraphQL by POST and JSON only, and an audit entry for each change: who, which, how it went. Not here:
who may look at all (`streamlit_app/sign_in/batch_page`, which says who asks in two headers; only the owner's
processes reach the socket), what GraphQL does (Dagster).
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from privacy.audit.audit_log import AuditLog, Outcome

PREFIX: Final = "/dagster"
"""The path of the app under which Dagster's page is served."""
ASKED_BY: Final = "x-tta-monitor-asked-by"
"""Header with the id of the account that asks."""
MAY_CHANGE: Final = "x-tta-monitor-may-change"
"""Header that is there when the account's role may change something."""
CHANGE: Final = "dagster.change"
"""The action of the access policy."""

_MAX_BODY_BYTES = 16 * 1024 * 1024
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSING = frozenset({"UnauthorizedError"})
_FAILING = ("Error", "NotFound", "Failure", "Invalid", "Conflict")
"""How the types end in which Dagster says that it did nothing."""
_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


class _Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class _Asked:
    """Who wants to change what; the names are GraphQL's own, such as `launchRun`."""

    by: str
    may_change: bool
    changes: str


class PageRules:
    """ASGI middleware in front of Dagster's page. Its websocket carries subscriptions only."""

    def __init__(self, app: _App, log: AuditLog) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Pass on what reads; note what changes; refuse what is neither."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            changes, receive = await _changes(scope, receive)
        except _Refusal as refusal:
            await _say(send, refusal.status, str(refusal))
            return
        if changes:
            await self._change(scope, receive, send, changes)
        else:
            await self._app(scope, receive, send)

    async def _change(
        self, scope: _Scope, receive: _Receive, send: _Send, changes: list[str]
    ) -> None:
        headers = dict(scope["headers"])
        by = headers.get(ASKED_BY.encode(), b"unknown").decode("latin-1")
        asked = _Asked(by, MAY_CHANGE.encode() in headers, ",".join(changes)[:120])
        if not asked.may_change:
            self._note(asked, "refused", "role")
            await _say(send, 403, "your role may look at Dagster's page, and change nothing there")
            return
        heard = _Heard()
        try:
            await self._app(scope, receive, heard)
        except BaseException as error:
            self._note(asked, "failed", type(error).__name__)
            raise
        self._note(asked, *heard.outcome())
        await heard.pass_on(send)

    def _note(self, asked: _Asked, outcome: Outcome, why: str) -> None:
        self._log.append(
            actor=asked.by,
            action="access.action",
            target=CHANGE,
            outcome=outcome,
            verb=asked.changes,
            **({"why": why} if why else {}),
        )


class _Heard:
    """Keeps the answer to a change until its entry is on disk: nobody is told of a change without one."""

    def __init__(self) -> None:
        self._messages: list[_Message] = []

    async def __call__(self, message: _Message) -> None:
        self._messages.append(message)

    async def pass_on(self, send: _Send) -> None:
        """Send it."""
        for message in self._messages:
            await send(message)

    def outcome(self) -> tuple[Outcome, str]:
        """How it went and, unless it was done, why not, in a name of Dagster's."""
        status = self._messages[0]["status"] if self._messages else 500
        if status >= 400:
            return "failed", str(status)
        try:
            answer = json.loads(b"".join(m.get("body", b"") for m in self._messages))
        except ValueError:
            return "done", ""
        if not isinstance(answer, dict):
            return "done", ""
        if answer.get("errors"):
            return "failed", "errors"
        kinds = [str(kind) for kind in _kinds(answer.get("data"))]
        refused = [kind for kind in kinds if kind in _REFUSING]
        failed = [kind for kind in kinds if kind.endswith(_FAILING)]
        if refused:
            return "refused", refused[0]
        return ("failed", failed[0]) if failed else ("done", "")


def _kinds(data: object) -> list[object]:
    """The type of the answer to each mutation, where it was asked for; Dagster's page always does."""
    found = data.values() if isinstance(data, dict) else ()
    return [one["__typename"] for one in found if isinstance(one, dict) and "__typename" in one]


async def _changes(scope: _Scope, receive: _Receive) -> tuple[list[str], _Receive]:
    """Names of what a request would change, and its body to be read again."""
    path, method = scope["path"].removeprefix(PREFIX), scope["method"]
    if path.strip("/").rpartition("/")[2] != "graphql":
        return ([] if method in _READING else [path.strip("/").partition("/")[0]]), receive
    if method != "POST":
        raise _Refusal(405, "ask GraphQL with POST: an address must not change anything")
    kind = dict(scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise _Refusal(415, "ask GraphQL in JSON: a form of another site can send the rest")
    body = await _read(receive)
    return _mutations(body), _again(body, receive)


def _mutations(body: bytes) -> list[str]:
    """The fields of the mutations in a GraphQL document; empty for what Dagster will not run."""
    from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse  # noqa: PLC0415
    from graphql.language import FieldNode  # noqa: PLC0415

    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise _Refusal(400, "this is no JSON") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
        raise _Refusal(400, 'GraphQL is asked with {"query": "…", "variables": {…}}')
    try:
        document = parse(asked["query"])
    except (GraphQLError, RecursionError):
        raise _Refusal(400, "this is no GraphQL") from None
    chosen = asked.get("operationName")
    return [
        one.name.value if isinstance(one, FieldNode) else "fragment"
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        and operation.operation is OperationType.MUTATION
        and (not chosen or (operation.name and operation.name.value == chosen))
        for one in operation.selection_set.selections
    ]


async def _read(receive: _Receive) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refusal(400, "the request was cut off")
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > _MAX_BODY_BYTES:
            raise _Refusal(413, f"a request has at most {_MAX_BODY_BYTES} bytes")
        if not message.get("more_body"):
            return b"".join(pieces)


def _again(body: bytes, receive: _Receive) -> _Receive:
    """The body once more, then what comes after it."""
    waiting: list[_Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def from_start() -> _Message:
        return waiting.pop() if waiting else await receive()

    return from_start


async def _say(send: _Send, status: int, words: str) -> None:
    body = f"{words}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    ]
    if status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
