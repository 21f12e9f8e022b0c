"""What the OTLP doors refuse, with which status, and that nothing else is lost by it."""

import gzip
import zlib
from unittest.mock import patch

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.pipeline import UNPROCESSABLE, Incoming, Pipeline
from ingestion.receivers.doors.authority import NotAllowed, allowed_component, is_loopback
from ingestion.receivers.doors.http import PROTOBUF
from ingestion.spool import Spool
from tests.ingestion.receivers.test_receivers import door, landed, post, span_request


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff\xff", {}, 400),
        (b"not gzip", {"content-encoding": "gzip"}, 400),
        (gzip.compress(b"x" * 100)[:-4], {"content-encoding": "gzip"}, 400),
        (b"x", {"content-encoding": "br"}, 400),
        (b"x", {"content-encoding": "lzma"}, 415),
        (b"x", {"content-type": "text/plain"}, 415),
        (b"[1]", {"content-type": "application/json"}, 400),
        (b"{", {"content-type": "application/json"}, 400),
        (b'{"resourceSpans": 5}', {"content-type": "application/json"}, 400),
        (b"[" * 900, {"content-type": "application/json"}, 400),
        (b"y" * 2_000, {}, 413),
        (gzip.compress(b"\0" * 50_000), {"content-encoding": "gzip"}, 413),
        (zlib.compress(b"\0" * 50_000), {"content-encoding": "deflate"}, 413),
    ],
    # Names of their own: a packed body holds the time and differs between the test processes.
    ids=[
        "no protobuf", "no gzip", "cut gzip", "no br", "unknown encoding", "unknown type", "JSON list",
        "cut JSON", "wrong JSON type", "deep JSON", "too large", "gzip bomb", "deflate bomb",
    ],
)  # fmt: skip
def test_a_bad_body_gets_a_4xx_with_a_status_and_the_next_request_succeeds(
    pipeline: Pipeline, body: bytes, headers: dict[str, str], status: int
) -> None:
    with door(pipeline, max_body_bytes=1_000) as client:
        answer = post(client, body, **headers)
        assert answer.status_code == status
        if answer.headers["content-type"] == PROTOBUF:
            assert Status.FromString(answer.content).message
        else:
            assert answer.json()["message"]
        assert post(client, span_request().SerializeToString()).status_code == 200


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace": b"short"}, "invalid_trace_id"),
        ({"trace": b"\0" * 16}, "invalid_trace_id"),
        ({"span": b""}, "invalid_span_id"),
        ({"start_time_unix_nano": 0}, "invalid_start_time"),
        ({"start_time_unix_nano": 2**64 - 1}, "invalid_start_time"),
        ({"end_time_unix_nano": 0}, "invalid_end_time"),
    ],
)
def test_a_wrong_span_is_rejected_with_its_reason_and_its_neighbour_is_kept(
    pipeline: Pipeline, spool: Spool, fields: dict, reason: str
) -> None:
    request = span_request(**fields)
    request.MergeFrom(span_request(span=b"goodspan"))
    with door(pipeline) as client:
        answer = post(client, request.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (partial.rejected_spans, reason in partial.error_message) == (1, True)
    assert len(landed(spool, "spans")) == 1
    assert ("rejected", reason, 1) in {
        (r["outcome"], r["reason"], r["items"]) for r in landed(spool, "ledger")
    }


def test_a_full_queue_is_429_with_retry_after(pipeline: Pipeline) -> None:
    # The first request is always taken; fill the queue behind it by hand.
    with (
        door(pipeline, max_pending_bytes=1) as client,
        patch.object(Committer, "submit", side_effect=_overloaded()),
    ):
        answer = post(client, span_request().SerializeToString())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def _overloaded() -> Exception:
    from ingestion.receivers.committing.committer import Overloaded

    return Overloaded()


def test_a_spool_that_cannot_be_written_is_503_and_nothing_is_acknowledged(
    pipeline: Pipeline,
) -> None:
    import sqlite3

    with (
        door(pipeline) as client,
        patch.object(Spool, "append", side_effect=sqlite3.OperationalError("full")),
    ):
        answer = post(client, span_request().SerializeToString())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert client.get("/readyz").status_code == 503
    with door(pipeline) as client:
        assert post(client, span_request().SerializeToString()).status_code == 200
        assert client.get("/readyz").status_code == 200


def test_a_stranger_needs_a_token_and_loopback_does_not() -> None:
    tokens = {"player-api": "secret-1"}
    assert allowed_component("127.0.0.1", "", tokens) is None
    assert allowed_component("::ffff:127.0.0.1", "", tokens) is None
    assert allowed_component("192.0.2.7", "Bearer secret-1", tokens) == "player-api"
    for header in ("", "Bearer wrong", "Basic secret-1"):
        with pytest.raises(NotAllowed, match="token"):
            allowed_component("192.0.2.7", header, tokens)
    assert not is_loopback(None)
    assert not is_loopback("example.org")


def test_a_token_speaks_for_its_own_component_only(pipeline: Pipeline, spool: Spool) -> None:
    body = span_request(service="other").SerializeToString()
    (answer,) = pipeline.process([Incoming("spans", body, component="player-api")])
    assert (answer.accepted, answer.rejected) == (0, 1)
    assert landed(spool, "spans") == []


@given(st.binary(max_size=300))
@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_answered_and_never_crash_the_pipeline(
    pipeline: Pipeline, body: bytes
) -> None:
    for signal in ("spans", "logs", "metric_points"):
        (answer,) = pipeline.process([Incoming(signal, body)])
        # What breaks the pipeline is answered as well: in these words.
        assert answer.error != UNPROCESSABLE
