"""OTLP doors: what is accepted, refused, counted once."""

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.testclient import TestClient

from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.receivers.doors.authority import NotAllowed, allowed_component, is_loopback
from ingestion.receivers.doors.http import PROTOBUF, build_app
from ingestion.settings.receiver import ReceiverSettings
from ingestion.spool import Spool

NOW_NS = 1_790_000_000_000_000_000


def span_request(
    *,
    service: str = "player-api",
    trace: bytes = b"t" * 16,
    span: bytes = b"s" * 8,
    **fields: object,
) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    if service:
        attribute = resource.resource.attributes.add(key="service.name")
        attribute.value.string_value = service
    made = resource.scope_spans.add().spans.add(
        trace_id=trace,
        span_id=span,
        name="GET /x",
        start_time_unix_nano=NOW_NS,
        end_time_unix_nano=NOW_NS + 5_000_000,
    )
    for name, value in fields.items():
        setattr(made, name, value)
    return request


@contextmanager
def door(pipeline: Pipeline, **changes: object) -> Iterator[TestClient]:
    settings = ReceiverSettings(group_commit_ms=1, **changes)
    committer = Committer(pipeline, group_ms=1, max_pending_bytes=settings.max_pending_bytes)
    app = build_app(committer, pipeline, settings)

    async def lifespan(scope: object, receive: object, send: object) -> None:
        if scope["type"] == "lifespan":
            await receive()
            committer.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await committer.close()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await app(scope, receive, send)

    with TestClient(lifespan, client=("127.0.0.1", 1)) as client:
        yield client


def post(client: TestClient, body: bytes, **headers: str):
    return client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF, **headers})


def landed(spool: Spool, signal: str) -> list[dict]:
    return [
        row for b in spool.read(0, limit=10_000, signals=[signal]) for row in b.table().to_pylist()
    ]


def test_an_acknowledged_span_is_sealed_in_the_spool(pipeline: Pipeline, spool: Spool) -> None:
    with door(pipeline) as client:
        answer = post(client, span_request().SerializeToString())
    assert answer.status_code == 200
    assert answer.content == b""  # partial_success unset
    assert answer.headers["content-type"] == PROTOBUF
    (row,) = landed(spool, "spans")
    assert (row["component"], row["name"], row["duration_ns"]) == (
        "player-api",
        "GET /x",
        5_000_000,
    )


def test_json_and_protobuf_land_alike_and_are_answered_in_kind(
    pipeline: Pipeline, spool: Spool
) -> None:
    body = {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [{"key": "service.name", "value": {"stringValue": "player-api"}}]
                },
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": (b"t" * 16).hex().upper(),
                                "spanId": (b"s" * 8).hex(),
                                "name": "GET /x",
                                "kind": 2,
                                "startTimeUnixNano": str(NOW_NS),
                                "endTimeUnixNano": NOW_NS + 5_000_000,
                                "unknownField": {"a": 1},
                            }
                        ]
                    }
                ],
            }
        ]
    }
    with door(pipeline) as client:
        answer = client.post("/v1/traces", json=body)
    assert (answer.status_code, answer.json()) == (200, {})
    (row,) = landed(spool, "spans")
    assert (row["trace_id"], row["kind"]) == (b"t" * 16, "SERVER")


def test_gzip_is_read_and_an_empty_request_succeeds(pipeline: Pipeline) -> None:
    with door(pipeline) as client:
        body = gzip.compress(span_request().SerializeToString())
        assert post(client, body, **{"content-encoding": "gzip"}).status_code == 200
        assert post(client, b"").status_code == 200


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


def test_a_repeated_body_counts_once_and_is_answered_alike(
    pipeline: Pipeline, spool: Spool
) -> None:
    body = span_request().SerializeToString()
    with door(pipeline) as client:
        assert post(client, body).content == post(client, body).content
    assert len(landed(spool, "spans")) == 1
    counts = {(r["outcome"], r["items"]) for r in landed(spool, "ledger")}
    assert counts == {("arrived", 1), ("accepted", 1), ("duplicate", 1)}


def test_a_repeat_within_one_group_counts_once(pipeline: Pipeline, spool: Spool) -> None:
    body = span_request().SerializeToString()
    answers = pipeline.process([Incoming("spans", body)] * 3)
    assert [a.accepted for a in answers] == [1, 1, 1]
    assert len(landed(spool, "spans")) == 1


def test_two_different_spans_with_the_same_ids_are_both_kept(
    pipeline: Pipeline, spool: Spool
) -> None:
    for start in (NOW_NS, NOW_NS + 1_000_000_000):
        request = span_request(start_time_unix_nano=start, end_time_unix_nano=start + 1)
        pipeline.process([Incoming("spans", request.SerializeToString())])
    assert len(landed(spool, "spans")) == 2


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


def test_health_and_metrics_answer(pipeline: Pipeline) -> None:
    with door(pipeline) as client:
        post(client, span_request().SerializeToString())
        assert client.get("/livez").text == "ok\n"
        assert 'tta_monitor_receiver_items_total{outcome="accepted"' in client.get("/metrics").text


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


def test_a_sender_without_a_name_is_unknown_service(pipeline: Pipeline, spool: Spool) -> None:
    pipeline.process([Incoming("spans", span_request(service="").SerializeToString())])
    assert landed(spool, "spans")[0]["component"] == "unknown_service"


def metric_request() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    gauge = metrics.add(name="g", unit="1").gauge.data_points.add(
        time_unix_nano=NOW_NS, as_double=1.5
    )
    exemplar = gauge.exemplars.add(
        time_unix_nano=NOW_NS, as_int=3, trace_id=b"t" * 16, span_id=b"s" * 8
    )
    assert exemplar
    total = metrics.add(name="s").sum
    total.is_monotonic, total.aggregation_temporality = True, 2
    total.data_points.add(time_unix_nano=NOW_NS, start_time_unix_nano=NOW_NS - 5, as_int=2**60 + 1)
    histogram = metrics.add(name="h").histogram
    histogram.aggregation_temporality = 1
    histogram.data_points.add(
        time_unix_nano=NOW_NS, count=3, sum=6.0, explicit_bounds=[1, 2], bucket_counts=[1, 1, 1]
    )
    exponential = metrics.add(name="e").exponential_histogram
    point = exponential.data_points.add(time_unix_nano=NOW_NS, count=2, scale=3, zero_count=1)
    point.positive.offset = 4
    point.positive.bucket_counts.extend([1])
    summary = metrics.add(name="q").summary.data_points.add(time_unix_nano=NOW_NS, count=2, sum=3.0)
    summary.quantile_values.add(quantile=0.5, value=1.5)
    metrics.add(name="").gauge.data_points.add(time_unix_nano=NOW_NS, as_int=1)
    metrics.add(name="late").gauge.data_points.add(as_int=1)
    metrics.add(name="nothing")
    return request


def test_every_kind_of_metric_lands_with_what_it_has(pipeline: Pipeline, spool: Spool) -> None:
    (answer,) = pipeline.process([Incoming("metric_points", metric_request().SerializeToString())])
    assert (answer.accepted, answer.rejected) == (5, 2)
    rows = {r["metric"]: r for r in landed(spool, "metric_points")}
    assert rows["g"]["value"] == 1.5 and rows["g"]["exemplars"][0]["value"] == 3
    assert rows["s"]["value_int"] == 2**60 + 1 and rows["s"]["temporality"] == "cumulative"
    assert rows["h"]["bucket_counts"] == [1, 1, 1] and rows["h"]["point_sum"] == 6.0
    assert rows["h"]["value"] is None
    assert (rows["e"]["scale"], rows["e"]["positive_counts"], rows["e"]["zero_count"]) == (
        3,
        [1],
        1,
    )
    assert rows["q"]["quantiles"] == [{"quantile": 0.5, "value": 1.5}]


@given(st.binary(max_size=300))
@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_answered_and_never_crash_the_pipeline(
    pipeline: Pipeline, body: bytes
) -> None:
    for signal in ("spans", "logs", "metric_points"):
        (answer,) = pipeline.process([Incoming(signal, body)])
        assert answer.error or answer.accepted >= 0


def test_the_whole_capture_lands_by_count_and_again_adds_none(
    pipeline: Pipeline, spool: Spool, incoming: list[Incoming]
) -> None:
    from ingestion.receivers.decoding.protobuf import count_items

    for start in range(0, len(incoming), 32):
        pipeline.process(incoming[start : start + 32])
    seq = spool.last_seq()
    for signal in ("spans", "logs", "metric_points"):
        sent = sum(count_items(i.signal, i.body) for i in incoming if i.signal == signal)
        assert sum(b.row_count for b in spool.read(0, limit=10_000, signals=[signal])) == sent
    for start in range(0, len(incoming), 32):
        pipeline.process(incoming[start : start + 32])
    assert {b.signal for b in spool.read(seq, limit=10_000)} == {"ledger"}


def test_json_answers_are_small(pipeline: Pipeline) -> None:
    with door(pipeline) as client:
        answer = client.post(
            "/v1/traces", content=json.dumps({}), headers={"content-type": "application/json"}
        )
    assert answer.json() == {}
