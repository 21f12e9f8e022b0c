"""A request that offers another protocol is read as the HTTP/1.1 that it is, however it is cut up."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import uvicorn

from ingestion.doors.plain_http import PlainProtocol
from ingestion.receivers.doors.one_port import OnePortProtocol

OFFER = (
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
)
BODY = bytes(range(256)) * 300


async def echo(scope, receive, send) -> None:
    """Answer with the method, the path, the headers' names and the body that came."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    names = b",".join(name for name, _ in scope["headers"])
    told = b"%s %s %s " % (scope["method"].encode(), scope["path"].encode(), names)
    head = [(b"content-length", str(len(told + body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": told + body})


@contextlib.asynccontextmanager
async def served(protocol: type[PlainProtocol], app: Any = echo) -> AsyncIterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=protocol, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0)
        yield listening.getsockname()[1]
        server.should_exit = True
        await task


def request(*, extra: str = OFFER, path: str = "/v1/traces", body: bytes = BODY) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: h\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def answers(
    pieces: list[bytes], count: int = 1, protocol: type[PlainProtocol] = OnePortProtocol
) -> list[bytes]:
    """Send pieces, each in a packet of its own, over one connection; the bodies of the answers."""
    async with served(protocol) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        found = []
        for _ in range(count):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            found.append(await reader.readexactly(size))
        writer.close()
        return found


WHOLE = request()
HEAD_END = WHOLE.index(b"\r\n\r\n") + 4


@pytest.mark.parametrize(
    "cuts",
    [[], [HEAD_END], [20], [60, HEAD_END - 2], [HEAD_END, HEAD_END + 9], [HEAD_END + 50_000]],
)
@pytest.mark.parametrize("protocol", [OnePortProtocol, PlainProtocol])
def test_the_body_arrives_however_it_is_cut_up(
    cuts: list[int], protocol: type[PlainProtocol]
) -> None:
    edges = [0, *cuts, len(WHOLE)]
    pieces = [WHOLE[low:high] for low, high in pairwise(edges)]
    (answer,) = asyncio.run(answers(pieces, protocol=protocol))
    assert answer == b"POST /v1/traces host,content-length " + BODY


def test_chunks_are_read_as_chunks() -> None:
    head = f"POST /v1/logs HTTP/1.1\r\nHost: h\r\n{OFFER}Transfer-Encoding: chunked\r\n\r\n"
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    (answer,) = asyncio.run(answers([head.encode() + body]))
    assert answer == b"POST /v1/logs host,transfer-encoding hello world"


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0", "h2c, websocket"])
def test_no_offer_of_any_protocol_is_taken(protocol: str) -> None:
    extra = f"Upgrade: {protocol}\r\nConnection: keep-alive, Upgrade\r\n"
    (answer,) = asyncio.run(answers([request(extra=extra, body=b"kept")]))
    assert answer == b"POST /v1/traces host,connection,content-length kept"


def test_requests_that_follow_on_the_connection_are_read() -> None:
    pieces = [request(body=b"one") + request(extra="", body=b"two"), request(body=b"three")]
    bodies = [answer.rpartition(b" ")[2] for answer in asyncio.run(answers(pieces, count=3))]
    assert bodies == [b"one", b"two", b"three"]
