"""gRPC that arrives at the HTTP port is handed to the gRPC door.

Here: noticing the HTTP/2 preface and relaying the connection. Not here: offers to upgrade
(`plain_http`). OpenTelemetry's SDKs differ in which protocol they speak when only an endpoint is set;
with this, port 4318 is right for all of them. Nor is either protocol here. Only loopback is relayed: to
the gRPC door every relayed sender looks local, and a remote one must show its token there itself.
Source: RFC 9113, 3.4 (the HTTP/2 connection preface).
"""

import asyncio
from typing import Any, ClassVar

from ingestion.doors.plain_http import PlainProtocol
from ingestion.receivers.doors.authority import is_loopback
from privacy.process_log.log import logger

_PREFACE = b"PRI * HTTP/2.0"
_log = logger()


class OnePortProtocol(PlainProtocol):
    """HTTP/1.1 as uvicorn speaks it, unless a connection begins with the HTTP/2 preface."""

    grpc_port: ClassVar[int] = 4317
    _relays: ClassVar[set[asyncio.Task[None]]] = set()
    _has_begun = False

    def data_received(self, data: bytes) -> None:
        """Look at the first bytes only."""
        if self._has_begun or not data.startswith(_PREFACE):
            self._has_begun = True
            super().data_received(data)
            return
        self._unset_keepalive_if_required()
        self.end_head()
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
