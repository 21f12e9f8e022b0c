"""Bodies of HTTP requests: read within their limits, decompressed, or refused with a status.

Here: what the routes of the HTTP door share. Not here: the routes (`http`, `sentry_door`), what a body holds
(`decoding`). Limits are in bytes, the time to arrive in seconds. Source: RFC 9110, 413 and 408.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from ingestion.receivers.committing.committer import SMALL_BYTES, Committer
from ingestion.receivers.committing.pipeline import Answer, Pipeline
from ingestion.receivers.decoding.inflate import decompress
from ingestion.receivers.decoding.protobuf import BadBody
from ingestion.receivers.doors.authority import (
    INVALID_ARGUMENT,
    RESOURCE_EXHAUSTED,
    UNAVAILABLE,
)
from ingestion.settings.receiver import ReceiverSettings

_INLINE_BYTES = 256 * 1024  # decompressed within a millisecond
_ARRIVAL_S = 60.0
_T = TypeVar("_T")


class Refused(Exception):
    """A request that is turned away: HTTP status, gRPC status code, and the reason that is counted."""

    def __init__(self, http_status: int, code: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.http_status, self.code, self.reason = http_status, code, reason
        self.component: str | None = None

    @staticmethod
    def for_body(error: BadBody, component: str | None = None) -> "Refused":
        """What could not be read, decompressed or was too much."""
        refused = Refused(error.http_status, INVALID_ARGUMENT, str(error), error.reason)
        refused.component = component
        return refused

    @staticmethod
    def for_answer(answer: Answer) -> "Refused":
        """What the pipeline refused and has counted."""
        code = RESOURCE_EXHAUSTED if answer.http_status == 429 else INVALID_ARGUMENT
        return Refused(answer.http_status, code, answer.error, "")

    @property
    def headers(self) -> dict[str, str]:
        """A body that is still arriving ends with its connection: nobody wants the rest of it."""
        if self.http_status == 408:
            return {"Connection": "close"}
        return {"Retry-After": "1"} if self.http_status == 429 else {}


@dataclass(frozen=True)
class Doorway:
    """`unpacker` decompresses and reads what would hold up the event loop, one body at a time."""

    committer: Committer
    pipeline: Pipeline
    receiver: ReceiverSettings
    unpacker: ThreadPoolExecutor
    own_token: str

    async def unpack(self, work: Callable[[], _T]) -> _T:
        """Do it beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.unpacker, work)


async def plain_body(doorway: Doorway, body: bytes, encoding: str) -> bytes:
    """The decompressed body: at once when it is small, else beside the event loop. Raises BadBody."""
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


async def read_body(request: Request, limit: int, committer: Committer) -> bytes:
    """The whole body, at most `limit` bytes, within a minute; raises Refused (413, 408) or Overloaded.

    Its bytes count as pending while they arrive, so many slow senders are 429.
    """
    too_large = Refused(
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
        raise Refused(
            408,
            UNAVAILABLE,
            f"the body did not arrive within {_ARRIVAL_S:g} s",
            "arrives_too_slowly",
        ) from None
    finally:
        committer.release(size)
    return b"".join(chunks)
