"""HTTP/1.1 without upgrades: an offer of another protocol is not taken, and the request is read all the same.

Here: reading a request that offers to go on in another protocol (`Upgrade: h2c`, as Java's client does) as
the HTTP/1.1 that it is (RFC 9110, 7.8); uvicorn's own would lose its body; and closing what sends a head
without end or asks far ahead of its answers. Not here: doors that serve websockets, which take an offer.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from privacy.process_log.log import logger

_INVALID = "Invalid HTTP request received."
_TOO_LARGE_HEAD = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 68\r\n\r\n"
    b"the request's head is larger than 64 KiB; send fewer or shorter ones"
)
# The parser copies a head anew with every packet, so a long one costs its square.
_MOST_HEAD_BYTES = 64 * 1024
# A head must arrive within this time, and so many requests may wait behind each other.
_HEAD_S, _MOST_PIPELINED = 10.0, 64
_OFFERS = frozenset({b"upgrade", b"http2-settings"})
_log = logger()


class PlainProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, every offer to upgrade left out."""

    _is_in_head = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A connection that sends no whole head does not stay."""
        super().connection_made(transport)
        self._start_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Its timer goes with it."""
        self.end_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._start_head()

    def _start_head(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_S, self.transport.abort)

    def end_head(self) -> None:
        """The head is there, or none will come."""
        self._is_in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _check(self, size: int) -> None:
        """Close what sends an endless head, or asks far ahead of its answers."""
        if self._is_in_head:
            self._head_bytes += size
        if self._head_bytes > _MOST_HEAD_BYTES:
            _log.warning("a request with too large a head is refused")
            self.transport.write(_TOO_LARGE_HEAD)
            self.transport.close()
        elif len(self.pipeline) > _MOST_PIPELINED:
            _log.warning("a connection with too many requests ahead of their answers is closed")
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """A request that offers an upgrade begins when its head is read again without the offer."""
        if not self.parser.should_upgrade():
            self.end_head()
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The parser ends a request at an offer: its body has not come yet."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Read what came, an offer left out."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
            self._check(len(data))
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
        self.data_received(b"\r\n".join([*lines, b"", rest]))


def _without_offer(headers: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name == b"connection":
            kept = [part for part in value.split(b",") if part.strip().lower() not in _OFFERS]
            if kept:
                yield name, b",".join(kept)
        elif name not in _OFFERS:
            yield name, value
