"""Who may send, and what a sender is told: shared by OTLP/HTTP and OTLP/gRPC.

Here: tokens, loopback, the response and status messages. Not here: the transports. Source: OTLP 1.x,
"Failures" and "Partial Success"; RFC 6750, 2.1 (bearer tokens); google.rpc.Status.
"""

import hmac
import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from ingestion.receivers.committing.pipeline import Answer
from ingestion.receivers.decoding.protobuf import EXPORTS

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE, UNAUTHENTICATED = 3, 8, 14, 16
"""google.rpc.Code values."""


class NotAllowed(Exception):
    """The sender is outside loopback and has no valid token."""


def allowed_component(
    client_host: str | None, authorization: str, tokens: Mapping[str, str], own: str = ""
) -> str | None:
    """The component a sender may speak for: its token's; None (any) on loopback and for `own`.

    `own` is the token of the home's own processes, empty for none. Raises NotAllowed. Tokens are
    compared in constant time.
    """
    if authorization.lower().startswith("bearer "):
        given = authorization[7:].strip().encode()
        if own and hmac.compare_digest(given, own.encode()):
            return None
        for component, token in tokens.items():
            if hmac.compare_digest(given, token.encode()):
                return component
    if is_loopback(client_host):
        return None
    raise NotAllowed(
        "this sender needs a bearer token: set receiver.tokens.<component> in config.yaml and send "
        "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<token>"
    )


@lru_cache(maxsize=4_096)
def is_loopback(host: str | None) -> bool:
    """Whether an address belongs to this machine alone."""
    if not host:
        return False
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.startswith("unix")
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def response_for(signal: str, answer: Answer) -> Message:
    """The Export…ServiceResponse; `partial_success` is set only when something was rejected."""
    export = EXPORTS[signal]
    response = export.response()
    if answer.rejected:
        setattr(response.partial_success, export.rejected_field, answer.rejected)  # type: ignore[attr-defined]
        response.partial_success.error_message = answer.message  # type: ignore[attr-defined]
    return response


def status(code: int, message: str) -> Status:
    """A google.rpc.Status."""
    return Status(code=code, message=message)
