"""gRPC that arrives at the HTTP port is handed to the gRPC door; an offer to upgrade is not taken.

Here: noticing the HTTP/2 preface and relaying the connection; reading a request that offers to go on in
another protocol (`Upgrade: h2c`, as Java's client does) as the HTTP/1.1 that it is (RFC 9110, 7.8).
OpenTelemetry's SDKs differ in which protocol they speak when only an endpoint is set; with this, port 4318
is right for all of them. Not here: either protocol. Only loopback is relayed: to the gRPC door every
relayed sender looks local, and a remote one must show its token there itself.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingestion.receivers.door import is_loopback
from privacy.logs import logger

_INVALID = "Invalid HTTP request received."
_OFFERS = frozenset({b"upgrade", b"http2-settings"})
_PREFACE = b"PRI * HTTP/2.0"
_log = logger()


class OnePortProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, unless a connection begins with the HTTP/2 preface."""

    grpc_port: ClassVar[int] = 4317
    _relays: ClassVar[set[asyncio.Task[None]]] = set()
    _has_begun = False

    def data_received(self, data: bytes) -> None:
        """Look at the first bytes only."""
        if self._has_begun or not data.startswith(_PREFACE):
            self._has_begun = True
            self._read(data)
            return
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        peer = self.transport.get_extra_info("peername")
        if not peer or not is_loopback(peer[0]):
            _log.warning("gRPC on the HTTP port is refused: senders outside use the gRPC port")
            self.transport.close()
            return
        near = _End()
        near.connection_made(self.transport)
        near.waiting.append(data)
        self.transport.set_protocol(near)
        task = asyncio.get_running_loop().create_task(_connect(near, self.grpc_port))
        self._relays.add(task)
        task.add_done_callback(self._relays.discard)

    def on_headers_complete(self) -> None:
        """A request that offers an upgrade begins when its head is read again without the offer."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The parser ends a request at an offer: its body has not come yet."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _read(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._read_without_offer(data[offer.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response(_INVALID)

    def _read_without_offer(self, rest: bytes) -> None:
        """Read the head again without the offer, by a parser of its own, and what follows it."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.send_400_response(_INVALID)
            return
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % pair for pair in _without_offer(self.headers)]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self._read(b"\r\n".join([*lines, b"", rest]))


def _without_offer(headers: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name == b"connection":
            kept = [part for part in value.split(b",") if part.strip().lower() not in _OFFERS]
            if kept:
                yield name, b",".join(kept)
        elif name not in _OFFERS:
            yield name, value


class _End(asyncio.Protocol):
    """One end of a relayed connection; what it reads is written at the other."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.other: _End | None = None
        self.waiting: list[bytes] = []
        self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def join(self, other: "_End") -> None:
        """Begin to relay to `other`, what came before first."""
        self.other = other
        for data in self.waiting:
            other.transport.write(data)
        self.waiting.clear()
        if self._is_lost:
            other.transport.close()

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self.waiting.append(data)
        else:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        """This end's writes pile up: the other must not read on."""
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        if self.other is not None:
            self.other.transport.close()


async def _connect(near: _End, port: int) -> None:
    try:
        _, far = await asyncio.get_running_loop().create_connection(_End, "127.0.0.1", port)
    except OSError as error:
        _log.error("the gRPC door cannot be reached", cause=type(error).__name__)
        near.transport.close()
        return
    far.join(near)
    near.join(far)
