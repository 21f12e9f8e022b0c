"""Sending to this home's own receiver: one OTLP export over plain HTTP on the loopback.

Here: the request and which answers mean "come again". Not here: what is sent (`collectors`,
`live_tail/alerts/desk/facts_out`), when it is tried again. The standard library is enough for it, and
the processes that wait most of the time stay small.
"""

import contextlib
import http.client
from collections.abc import Callable

from ingestion.settings import Settings

Send = Callable[[bytes], None]
_TIMEOUT_S = 30
_COME_AGAIN = frozenset({429, 502, 503, 504})


_TOO_MUCH = frozenset({400, 413})


class SendFailed(Exception):
    """The receiver did not take it now; the message is a status or the type of an error."""


class SendRefused(Exception):
    """The receiver will not take this body; smaller ones it may."""


def log_sender(settings: Settings) -> Send:
    """What sends a log export; it raises SendFailed when it must come again.

    What is refused for good would be refused for ever: it is passed over, and the receiver has counted it.
    """
    send = sender(settings, "/v1/logs")

    def send_or_pass_over(body: bytes) -> None:
        with contextlib.suppress(SendRefused):
            send(body)

    return send_or_pass_over


def sender(settings: Settings, path: str) -> Send:
    """What sends an export of one signal; it raises SendFailed, or SendRefused for what it holds."""
    receiver = settings.receiver

    def send(body: bytes) -> None:
        connection = http.client.HTTPConnection(
            receiver.host, receiver.http_port, timeout=_TIMEOUT_S
        )
        try:
            headers = {"Content-Type": "application/x-protobuf"}
            connection.request("POST", path, body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise SendFailed(type(error).__name__) from None
        finally:
            connection.close()
        if status in _COME_AGAIN:
            raise SendFailed(str(status))
        if status in _TOO_MUCH:
            raise SendRefused(str(status))

    return send
