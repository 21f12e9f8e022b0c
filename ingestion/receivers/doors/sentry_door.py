"""Sentry's paths over HTTP: who sends, an envelope or a stored event, and the answer its SDKs expect.

Here: requests and answers. Not here: what a body holds (`sentry`, `sentry_events`), OTLP (`http`). Source:
develop.sentry.dev, "Envelopes" and "Authentication".
"""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ingestion.receivers.committing.committer import Overloaded
from ingestion.receivers.committing.pipeline import Incoming, StorageUnavailable
from ingestion.receivers.decoding.inflate import decompress
from ingestion.receivers.decoding.protobuf import BadBody
from ingestion.receivers.doors import sentry
from ingestion.receivers.doors.authority import UNAUTHENTICATED, NotAllowed, allowed_component
from ingestion.receivers.doors.request_bodies import Doorway, Refused, read_body
from ingestion.receivers.doors.sentry_events import to_logs


async def answer_sentry(doorway: Doorway, request: Request) -> Response:
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
                raise Refused.for_answer(answer)
    except Refused as refusal:
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


async def _sentry_incoming(doorway: Doorway, request: Request) -> tuple[sentry.Envelope, Incoming]:
    project, form = sentry.PATH.match(request.scope["path"]).groups()  # type: ignore[union-attr]
    limit = min(sentry.MAX_COMPRESSED_BYTES, doorway.receiver.max_body_bytes)
    body = await read_body(request, limit, doorway.committer)
    encoding = request.headers.get("content-encoding", "").strip().lower()

    def unpacked() -> sentry.Envelope:
        plain = decompress(body, encoding, sentry.MAX_BYTES)
        return sentry.read_store(plain) if form == "store" else sentry.read_envelope(plain)

    try:
        envelope = await doorway.unpack(unpacked)
    except BadBody as error:
        raise Refused.for_body(error) from None
    auth = request.headers.get("x-sentry-auth", "") or request.headers.get("authorization", "")
    key = sentry.public_key(auth, request.query_params.get("sentry_key", ""), envelope.dsn)
    if not key:
        message = "authentication is missing: send X-Sentry-Auth, sentry_key or dsn"
        raise Refused(403, UNAUTHENTICATED, message, "unauthenticated")
    client = request.client.host if request.client else None
    try:
        component = allowed_component(client, f"Bearer {key}", doorway.receiver.tokens)
    except NotAllowed:
        message = "this DSN's public key is no token: set receiver.tokens.<component> to it"
        raise Refused(403, UNAUTHENTICATED, message, "unauthenticated") from None
    logs = await doorway.unpack(lambda: to_logs(envelope, component, key, project))
    return envelope, Incoming("logs", logs, component)
