"""OTLP doors: what is accepted and counted once."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
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


def test_health_and_metrics_answer(pipeline: Pipeline) -> None:
    with door(pipeline) as client:
        post(client, span_request().SerializeToString())
        assert client.get("/livez").text == "ok\n"
        assert 'tta_monitor_receiver_items_total{outcome="accepted"' in client.get("/metrics").text


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
