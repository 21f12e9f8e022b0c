"""OTLP/gRPC: the three Export methods with the semantics of the HTTP door.

Bodies stay bytes: the pipeline decodes them in groups. Retryable refusals are UNAVAILABLE with
RetryInfo, permanent ones INVALID_ARGUMENT, as the OTLP specification asks. Source: OTLP 1.x,
"OTLP/gRPC".
"""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo

from ingestion.receivers.committing.committer import Committer, Overloaded
from ingestion.receivers.committing.pipeline import Incoming, Pipeline, StorageUnavailable
from ingestion.receivers.doors.authority import (
    UNAVAILABLE,
    NotAllowed,
    allowed_component,
    response_for,
    status,
)
from ingestion.settings.receiver import ReceiverSettings

# A message lies in memory before anybody is asked about it.
_MOST_CALLS, _MOST_METADATA_BYTES = 64, 64 * 1024
_PREFIX = "/opentelemetry.proto.collector."
METHODS = {
    f"{_PREFIX}trace.v1.TraceService/Export": "spans",
    f"{_PREFIX}logs.v1.LogsService/Export": "logs",
    f"{_PREFIX}metrics.v1.MetricsService/Export": "metric_points",
}
_Handler = Callable[[bytes, grpc.aio.ServicerContext], Awaitable[bytes]]


class PortTaken(Exception):
    """Somebody else listens there; the message names the port and the setting."""


class _Door(grpc.GenericRpcHandler):
    def __init__(
        self, committer: Committer, pipeline: Pipeline, settings: ReceiverSettings
    ) -> None:
        self._committer, self._pipeline, self._settings = committer, pipeline, settings

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """The handler of one of the three methods, or None for an unknown one."""
        signal = METHODS.get(handler_call_details.method)
        if signal is None:
            return None
        return grpc.unary_unary_rpc_method_handler(self._handler(signal))

    def _handler(self, signal: str) -> _Handler:
        async def export(body: bytes, context: grpc.aio.ServicerContext) -> bytes:
            metadata = {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}
            try:
                component = allowed_component(
                    _peer_host(context.peer()),
                    metadata.get("authorization", ""),
                    self._settings.tokens,
                )
            except NotAllowed as error:
                self._committer.note_refusal(signal, "unauthenticated")
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
            return await self._commit(Incoming(signal, body, component), context)

        return export

    async def _commit(self, incoming: Incoming, context: grpc.aio.ServicerContext) -> bytes:
        try:
            answer = await self._committer.submit(incoming)
        except Overloaded as overload:
            self._committer.note_refusal(incoming.signal, "overloaded")
            await _retry_later(context, "the receiver is full", overload.retry_after_s)
        except StorageUnavailable:
            await _retry_later(context, "the spool cannot be written", 5)
        else:
            if answer.error and answer.http_status == 429:
                await _retry_later(context, answer.error, 1)
            if answer.error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, answer.error)
            return response_for(incoming.signal, answer).SerializeToString()
        raise AssertionError("abort always raises")


async def start_grpc(
    committer: Committer, pipeline: Pipeline, settings: ReceiverSettings
) -> grpc.aio.Server:
    """Listen on `grpc_port`; raises PortTaken."""
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", settings.max_grpc_bytes),
            ("grpc.max_metadata_size", _MOST_METADATA_BYTES),
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=_MOST_CALLS,
    )
    server.add_generic_rpc_handlers((_Door(committer, pipeline, settings),))
    try:
        server.add_insecure_port(f"{settings.host}:{settings.grpc_port}")
    except RuntimeError:
        raise PortTaken(
            f"port {settings.grpc_port} on {settings.host} is taken: stop what listens there or set "
            "receiver.grpc_port"
        ) from None
    await server.start()
    return server


async def _retry_later(context: grpc.aio.ServicerContext, message: str, seconds: int) -> None:
    detail = status(UNAVAILABLE, message)
    detail.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=seconds)))
    await context.abort(
        grpc.StatusCode.UNAVAILABLE,
        message,
        (("grpc-status-details-bin", detail.SerializeToString()),),
    )


def _peer_host(peer: str) -> str:
    """`ipv4:127.0.0.1:5` → `127.0.0.1`; `ipv6:[::1]:5` (percent-encoded) → `::1`."""
    kind, _, rest = unquote(peer).partition(":")
    if kind == "unix":
        return "unix"
    return rest.rpartition(":")[0].strip("[]")
