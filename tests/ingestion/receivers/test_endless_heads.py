"""A head without end, or requests far ahead of their answers, cost a connection and nothing else."""

import asyncio

import pytest

from ingestion.receivers.doors.one_port import OnePortProtocol
from tests.ingestion.doors.test_upgrade_offer import answers, request, served


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/traces HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 400_000,
        b"POST /v1/traces HTTP/1.1\r\nHost: h\r\n" + b"X: a\r\n" * 70_000,
        b"POST /" + b"a" * 400_000,
    ],
    ids=["a long header", "many headers", "a long path"],
)
def test_a_head_without_end_is_refused_and_the_next_connection_is_served(head: bytes) -> None:
    async def attack() -> bytes:
        async with served(OnePortProtocol) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(head)
                answer = await reader.read()
            except ConnectionError:
                answer = b""  # what was not read any more resets the connection
            writer.close()
            return answer

    told = asyncio.run(attack())
    assert told == b"" or told.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
    assert asyncio.run(answers([request(extra="")]))


def test_requests_far_ahead_of_their_answers_close_their_connection() -> None:
    async def attack() -> bytes:
        async with served(OnePortProtocol) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n" * 5_000)
                answer = await reader.read()
            except ConnectionError:
                answer = b""
            writer.close()
            return answer

    assert asyncio.run(attack()).count(b"HTTP/1.1 200") < 5_000
