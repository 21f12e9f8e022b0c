"""A body that comes too slowly is refused at every door that reads one, and nobody waits for it."""

import asyncio
import contextlib
from collections import Counter

import pytest

from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.receivers.doors import request_bodies
from ingestion.receivers.doors.http import PATHS, PROTOBUF, build_app
from ingestion.receivers.doors.one_port import OnePortProtocol
from ingestion.settings import Settings
from ingestion.spool import Spool
from tests.ingestion.doors.test_upgrade_offer import served
from tests.ingestion.receivers.test_receivers import landed, span_request

SENTRY = ("/api/1/envelope/?sentry_key=web", "/api/1/store/?sentry_key=web")
DOORS = (*PATHS, *SENTRY)
_LONG_S = 30


def head(path: str, size: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {PROTOBUF}\r\n"
        f"Content-Length: {size}\r\n\r\n"
    ).encode()


async def dripping(port: int, path: str) -> bytes:
    """Send a byte now and then, for as long as the connection is there; all that was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    with contextlib.suppress(ConnectionError):
        writer.write(head(path, 100_000))
        while not answer.done():
            writer.write(b"\n")
            await writer.drain()
            await asyncio.sleep(0.02)
    writer.close()
    return await answer


async def quick(port: int) -> bytes:
    """The status line of an export that comes at once."""
    body = span_request().SerializeToString()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head("/v1/traces", len(body)) + body)
    told = await reader.readline()
    writer.close()
    return told


@pytest.mark.parametrize("path", DOORS)
def test_a_body_that_comes_too_slowly_is_408_and_its_connection_ends(
    pipeline: Pipeline,
    spool: Spool,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setattr(request_bodies, "_ARRIVAL_S", 0.2)

    async def attack() -> tuple[bytes, int]:
        committer = Committer(pipeline, group_ms=1, max_pending_bytes=1_000_000)
        committer.start()
        app = build_app(committer, pipeline, settings.receiver)
        answer = b""
        async with served(OnePortProtocol, app) as port:
            while not answer:
                # A byte on its way when the connection ends resets it, and the reset may overtake the
                # answer (RFC 9112, 9.6).
                with contextlib.suppress(ConnectionResetError):
                    answer = await asyncio.wait_for(dripping(port, path), _LONG_S)
        pending = committer.pending_bytes
        await committer.close()
        return answer, pending

    answer, pending = asyncio.run(attack())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.2 s" in answer
    assert pending == 0
    signal = PATHS.get(path, "logs")
    assert {(r["signal"], r["outcome"], r["reason"]) for r in landed(spool, "ledger")} == {
        (signal, "arrived", ""),
        (signal, "rejected", "arrives_too_slowly"),
    }


def test_who_sends_at_once_does_not_wait_for_who_sends_slowly(
    pipeline: Pipeline, spool: Spool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_bodies, "_ARRIVAL_S", _LONG_S)
    pipeline.warm_up()

    async def attack() -> tuple[bytes, int]:
        committer = Committer(pipeline, group_ms=1, max_pending_bytes=1_000_000)
        committer.start()
        app = build_app(committer, pipeline, settings.receiver)
        async with served(OnePortProtocol, app) as port:
            slow = [asyncio.create_task(dripping(port, path)) for path in DOORS for _ in range(20)]
            while committer.pending_bytes < len(slow):
                await asyncio.sleep(0)
            told = await quick(port)
            waiting = Counter(one.done() for one in slow)[False]
            for one in slow:
                one.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
        await committer.close()
        return told, waiting

    told, waiting = asyncio.run(attack())
    assert told == b"HTTP/1.1 200 OK\r\n"
    assert waiting == 20 * len(DOORS)
    assert len(landed(spool, "spans")) == 1
