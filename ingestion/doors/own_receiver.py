"""Sending to this home's own receiver: one OTLP export over plain HTTP, never beyond this machine.

Here: where the receiver listens, how the home's own processes show there that they are its own, the
request, and which answers mean "come again". Not here: what is sent (`collectors`,
`live_tail/alerts/desk/facts_out`), when it is tried again. The standard library is enough for it, and
the processes that wait most of the time stay small.
"""

import contextlib
import http.client
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingestion.settings import Settings

Send = Callable[[bytes], None]
_TIMEOUT_S = 30
_COME_AGAIN = frozenset({429, 502, 503, 504})


_TOO_MUCH = frozenset({400, 413})


class SendFailed(Exception):
    """The receiver did not take it now; the message is a status or the type of an error."""


class SendRefused(Exception):
    """The receiver will not take this body; smaller ones it may."""


@dataclass(frozen=True)
class OwnDoor:
    """Where the home's receiver listens; `token` is the home's own, empty where none is asked for.

    At an address of the network even this machine's processes come from outside loopback.
    """

    host: str
    port: int
    token: str = ""

    @classmethod
    def of(cls, settings: "Settings") -> "OwnDoor":
        """The door of a home; raises KeyProblem where a token is needed and no key opens the home."""
        from ingestion.doors.service_token import RECEIVER, service_token  # noqa: PLC0415 - 8 MB of keys
        from ingestion.settings.section import LOOPBACK  # noqa: PLC0415
        from privacy.keys.key_store import KeyStore  # noqa: PLC0415

        receiver = settings.receiver
        if receiver.host in LOOPBACK:
            return cls(receiver.host, receiver.http_port)
        token = service_token(KeyStore.open(settings.home), RECEIVER)
        return cls(receiver.host, receiver.http_port, token)

    @property
    def url(self) -> str:
        """Its address, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What a request shows of whose it is."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def environment(self) -> dict[str, str]:
        """The same for OpenTelemetry's exporters."""
        shown = f"authorization=Bearer%20{self.token}"
        return {"OTEL_EXPORTER_OTLP_HEADERS": shown} if self.token else {}


def log_sender(door: OwnDoor) -> Send:
    """What sends a log export; it raises SendFailed when it must come again.

    What is refused for good would be refused for ever: it is passed over, and the receiver has counted it.
    """
    send = sender(door, "/v1/logs")

    def send_or_pass_over(body: bytes) -> None:
        with contextlib.suppress(SendRefused):
            send(body)

    return send_or_pass_over


def sender(door: OwnDoor, path: str) -> Send:
    """What sends an export of one signal; it raises SendFailed, or SendRefused for what it holds."""

    def send(body: bytes) -> None:
        connection = http.client.HTTPConnection(door.host, door.port, timeout=_TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/x-protobuf", **door.headers}
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
