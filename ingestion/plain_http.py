"""HTTP/1.1 without upgrades: an offer of another protocol is not taken, and the request is read all the same.

Here: reading a request that offers to go on in another protocol (`Upgrade: h2c`, as Java's client does) as
the HTTP/1.1 that it is (RFC 9110, 7.8); uvicorn's own would lose its body. Not here: doors that serve
websockets, which take an offer.
"""

from collections.abc import Iterator

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_INVALID = "Invalid HTTP request received."
_OFFERS = frozenset({b"upgrade", b"http2-settings"})


class PlainProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, every offer to upgrade left out."""

    def on_headers_complete(self) -> None:
        """A request that offers an upgrade begins when its head is read again without the offer."""
        if not self.parser.should_upgrade():
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
