"""OTLP/HTTP: POST /v1/traces, /v1/logs, /v1/metrics; protobuf and JSON; gzip.

Here: HTTP semantics of the OTLP specification (status codes, same content type back), and /livez, /readyz and
/metrics of this process. Not here: reading a body within limits (`request_bodies`), Sentry's paths
(`sentry_door`), what a commit does. Source: OTLP 1.x, "OTLP/HTTP".
"""

import gzip
from concurrent.futures import ThreadPoolExecutor

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ingestion.doors.turned_away import TurnedAway
from ingestion.receivers.committing.committer import Committer, Overloaded
from ingestion.receivers.committing.pipeline import Incoming, Pipeline, StorageUnavailable
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
from ingestion.receivers.doors.request_bodies import Doorway, Refused, plain_body, read_body
from ingestion.receivers.doors.sentry_door import answer_sentry
from ingestion.receivers.doors.telemetry import exposition
from ingestion.settings.receiver import ReceiverSettings

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
PATHS = {"/v1/traces": "spans", "/v1/logs": "logs", "/v1/metrics": "metric_points"}


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
    doorway = Doorway(committer, pipeline, settings, unpacker, own_token)
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
            response = await answer_sentry(doorway, Request(scope, receive))
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


async def _export(doorway: Doorway, request: Request) -> Response:
    signal = PATHS[request.scope["path"]]
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    answer_type = content_type if content_type in {PROTOBUF, JSON} else JSON
    try:
        incoming = await _incoming(doorway, request, signal, content_type)
        answer = await doorway.committer.submit(incoming)
        if answer.error:
            raise Refused.for_answer(answer)
    except Refused as refusal:
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


async def _incoming(doorway: Doorway, request: Request, signal: str, content_type: str) -> Incoming:
    client = request.client.host if request.client else None
    try:
        authorization = request.headers.get("authorization", "")
        tokens, own = doorway.receiver.tokens, doorway.own_token
        component = allowed_component(client, authorization, tokens, own)
    except NotAllowed as error:
        raise Refused(401, UNAUTHENTICATED, str(error), "unauthenticated") from None
    if content_type not in {PROTOBUF, JSON}:
        message = f"Content-Type must be {PROTOBUF} or {JSON}"
        raise Refused(415, INVALID_ARGUMENT, message, "unsupported_content_type")
    limit = doorway.receiver.max_body_bytes
    body = await read_body(request, limit, doorway.committer)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    try:
        plain = await plain_body(doorway, body, encoding)
    except BadBody as error:
        raise Refused.for_body(error, component) from None
    return Incoming(signal, plain, component, is_json=content_type == JSON)


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
