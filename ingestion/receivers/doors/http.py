"""OTLP/HTTP: POST /v1/traces, /v1/logs, /v1/metrics; protobuf and JSON; gzip.

Here: HTTP semantics of the OTLP specification (limits, status codes, same content type back).
Not here: what a commit does. Also Sentry's POST /api/<project>/envelope/ and /store/ (`sentry`), and
/livez, /readyz and /metrics of this process.
"""

import asyncio
import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ingestion.doors.turned_away import TurnedAway
from ingestion.receivers.committing.committer import SMALL_BYTES, Committer, Overloaded
from ingestion.receivers.committing.pipeline import Answer, Incoming, Pipeline, StorageUnavailable
from ingestion.receivers.decoding.inflate import decompress
from ingestion.receivers.decoding.protobuf import BadBody
from ingestion.receivers.doors import sentry
from ingestion.receivers.doors.authority import (
    INVALID_ARGUMENT,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    NotAllowed,
    allowed_component,
    response_for,
    status,
)
from ingestion.receivers.doors.telemetry import exposition
from ingestion.settings.receiver import ReceiverSettings

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
PATHS = {"/v1/traces": "spans", "/v1/logs": "logs", "/v1/metrics": "metric_points"}


_INLINE_BYTES = 256 * 1024  # decompressed within a millisecond
_ARRIVAL_S = 60.0
_T = TypeVar("_T")


class _Refused(Exception):
    def __init__(self, http_status: int, code: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.http_status, self.code, self.reason = http_status, code, reason
        self.component: str | None = None

    @staticmethod
    def for_body(error: BadBody, component: str | None = None) -> "_Refused":
        refused = _Refused(error.http_status, INVALID_ARGUMENT, str(error), error.reason)
        refused.component = component
        return refused

    @staticmethod
    def for_answer(answer: Answer) -> "_Refused":
        """What the pipeline refused and has counted."""
        code = RESOURCE_EXHAUSTED if answer.http_status == 429 else INVALID_ARGUMENT
        return _Refused(answer.http_status, code, answer.error, "")

    @property
    def headers(self) -> dict[str, str]:
        """A body that is still arriving ends with its connection: nobody wants the rest of it."""
        if self.http_status == 408:
            return {"Connection": "close"}
        return {"Retry-After": "1"} if self.http_status == 429 else {}


@dataclass(frozen=True)
class _Doorway:
    """`unpacker` decompresses and reads what would hold up the event loop, one body at a time."""

    committer: Committer
    pipeline: Pipeline
    receiver: ReceiverSettings
    unpacker: ThreadPoolExecutor
    own_token: str

    async def unpack(self, work: Callable[[], _T]) -> _T:
        """Do it beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.unpacker, work)


def build_app(
    committer: Committer,
    pipeline: Pipeline,
    settings: ReceiverSettings,
    turned_away: TurnedAway | None = None,
    *,
    own_token: str = "",
) -> ASGIApp:
    """The ASGI application of the HTTP door; what is turned away before it is in its numbers.

    Who shows `own_token` is a process of this home, wherever it comes from.
    """
    unpacker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="unpack")
    doorway = _Doorway(committer, pipeline, settings, unpacker, own_token)
    others = _other_routes(committer, pipeline, turned_away)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Exports skip the router and its middleware: they are most of a small request's cost.
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in PATHS:
            response = await _export(doorway, Request(scope, receive))
            await response(scope, receive, send)
        elif (
            scope["type"] == "http"
            and scope["method"] == "POST"
            and sentry.PATH.match(scope["path"])
        ):
            response = await _envelope(doorway, Request(scope, receive))
            await response(scope, receive, send)
        else:
            await others(scope, receive, send)

    return app


def _other_routes(
    committer: Committer, pipeline: Pipeline, turned_away: TurnedAway | None = None
) -> Starlette:
    async def only_post(_: Request) -> Response:
        return PlainTextResponse("send exports with POST\n", 405, {"Allow": "POST"})

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        if committer.storage_ok:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the spool cannot be written: check disk space\n", 503)

    async def metrics(_: Request) -> Response:
        body, content_type = exposition(pipeline, committer, turned_away)
        return Response(body, media_type=content_type)

    routes = [Route(path, only_post) for path in PATHS]
    routes += [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
    return Starlette(routes=routes)


async def _export(doorway: _Doorway, request: Request) -> Response:
    signal = PATHS[request.scope["path"]]
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    answer_type = content_type if content_type in {PROTOBUF, JSON} else JSON
    try:
        incoming = await _incoming(doorway, request, signal, content_type)
        answer = await doorway.committer.submit(incoming)
        if answer.error:
            raise _Refused.for_answer(answer)
    except _Refused as refusal:
        if refusal.reason:
            doorway.committer.note_refusal(signal, refusal.reason, refusal.component)
        refused = status(refusal.code, str(refusal))
        return _message(request, refused, answer_type, refusal.http_status, refusal.headers)
    except Overloaded as overload:
        doorway.committer.note_refusal(signal, "overloaded")
        busy = status(RESOURCE_EXHAUSTED, "the receiver is full; retry later")
        headers = {"Retry-After": str(overload.retry_after_s)}
        return _message(request, busy, answer_type, 429, headers)
    except StorageUnavailable:
        down = status(UNAVAILABLE, "the spool cannot be written; retry later")
        return _message(request, down, answer_type, 503, {"Retry-After": "5"})
    except ClientDisconnect:
        return Response(status_code=400)
    return _message(request, response_for(signal, answer), answer_type, 200)


async def _envelope(doorway: _Doorway, request: Request) -> Response:
    """A Sentry SDK's events, answered when they are durable."""
    headers: dict[str, str] = {}
    try:
        envelope, incoming = await _sentry_incoming(doorway, request)
        for kind in envelope.skipped:
            doorway.committer.note_refusal(
                "logs", f"sentry_{kind}_skipped", incoming.component, "dropped"
            )
        if envelope.events:
            answer = await doorway.committer.submit(incoming)
            if answer.error:
                raise _Refused.for_answer(answer)
    except _Refused as refusal:
        if refusal.reason:
            doorway.committer.note_refusal("logs", refusal.reason, refusal.component)
        return JSONResponse({"detail": str(refusal)}, refusal.http_status, refusal.headers)
    except Overloaded as overload:
        doorway.committer.note_refusal("logs", "overloaded")
        headers["Retry-After"] = str(overload.retry_after_s)
        return JSONResponse({"detail": "the receiver is full; retry later"}, 429, headers)
    except StorageUnavailable:
        headers["Retry-After"] = "5"
        return JSONResponse({"detail": "the spool cannot be written"}, 503, headers)
    except ClientDisconnect:
        return Response(status_code=400)
    is_id = len(envelope.event_id) == 32 and envelope.event_id.isalnum()
    return JSONResponse({"id": envelope.event_id} if is_id else {}, 200, headers)


async def _sentry_incoming(doorway: _Doorway, request: Request) -> tuple[sentry.Envelope, Incoming]:
    project, form = sentry.PATH.match(request.scope["path"]).groups()  # type: ignore[union-attr]
    limit = min(sentry.MAX_COMPRESSED_BYTES, doorway.receiver.max_body_bytes)
    body = await _read(request, limit, doorway.committer)
    encoding = request.headers.get("content-encoding", "").strip().lower()

    def unpacked() -> sentry.Envelope:
        plain = decompress(body, encoding, sentry.MAX_BYTES)
        return sentry.read_store(plain) if form == "store" else sentry.read_envelope(plain)

    try:
        envelope = await doorway.unpack(unpacked)
    except BadBody as error:
        raise _Refused.for_body(error) from None
    auth = request.headers.get("x-sentry-auth", "") or request.headers.get("authorization", "")
    key = sentry.public_key(auth, request.query_params.get("sentry_key", ""), envelope.dsn)
    if not key:
        message = "authentication is missing: send X-Sentry-Auth, sentry_key or dsn"
        raise _Refused(403, UNAUTHENTICATED, message, "unauthenticated")
    client = request.client.host if request.client else None
    try:
        component = allowed_component(client, f"Bearer {key}", doorway.receiver.tokens)
    except NotAllowed:
        message = "this DSN's public key is no token: set receiver.tokens.<component> to it"
        raise _Refused(403, UNAUTHENTICATED, message, "unauthenticated") from None
    logs = await doorway.unpack(lambda: sentry.to_logs(envelope, component, key, project))
    return envelope, Incoming("logs", logs, component)


async def _incoming(
    doorway: _Doorway, request: Request, signal: str, content_type: str
) -> Incoming:
    client = request.client.host if request.client else None
    try:
        authorization = request.headers.get("authorization", "")
        tokens, own = doorway.receiver.tokens, doorway.own_token
        component = allowed_component(client, authorization, tokens, own)
    except NotAllowed as error:
        raise _Refused(401, UNAUTHENTICATED, str(error), "unauthenticated") from None
    if content_type not in {PROTOBUF, JSON}:
        message = f"Content-Type must be {PROTOBUF} or {JSON}"
        raise _Refused(415, INVALID_ARGUMENT, message, "unsupported_content_type")
    limit = doorway.receiver.max_body_bytes
    body = await _read(request, limit, doorway.committer)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    try:
        plain = await _plain(doorway, body, encoding)
    except BadBody as error:
        raise _Refused.for_body(error, component) from None
    return Incoming(signal, plain, component, is_json=content_type == JSON)


async def _plain(doorway: _Doorway, body: bytes, encoding: str) -> bytes:
    """The decompressed body: at once when it is small, else beside the event loop."""
    limit = doorway.receiver.max_body_bytes
    if encoding in {"", "identity"}:
        return body
    if len(body) <= _INLINE_BYTES:
        try:
            return decompress(body, encoding, min(limit, _INLINE_BYTES))
        except BadBody as error:
            if not error.too_large or limit <= _INLINE_BYTES:
                raise
    return await doorway.unpack(lambda: decompress(body, encoding, limit))


async def _read(request: Request, limit: int, committer: Committer) -> bytes:
    """The whole body; its bytes count as pending while they arrive, so many slow senders are 429."""
    too_large = _Refused(
        413,
        INVALID_ARGUMENT,
        f"the body is larger than {limit} bytes; send smaller batches",
        "body_too_large",
    )
    declared = request.headers.get("content-length", "")
    length = int(declared) if declared.isdigit() and len(declared) < 20 else None
    if length is not None and length > limit:
        raise too_large
    is_small = length is not None and length <= SMALL_BYTES
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_ARRIVAL_S):
            async for chunk in request.stream():
                if size + len(chunk) > limit:
                    raise too_large
                committer.hold(len(chunk), is_small=is_small)
                size += len(chunk)
                chunks.append(chunk)
    except TimeoutError:
        raise _Refused(
            408,
            UNAVAILABLE,
            f"the body did not arrive within {_ARRIVAL_S:g} s",
            "arrives_too_slowly",
        ) from None
    finally:
        committer.release(size)
    return b"".join(chunks)


def _message(
    request: Request,
    message: Message,
    content_type: str,
    http_status: int,
    headers: dict[str, str] | None = None,
) -> Response:
    body = (
        MessageToJson(message, indent=None).encode()
        if content_type == JSON
        else message.SerializeToString()
    )
    headers = dict(headers or {})
    if len(body) > 1_400 and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
    return Response(body, http_status, headers, media_type=content_type)
