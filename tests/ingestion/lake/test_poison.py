"""What a sender may send and no later stage could read is put right at the door, and is told."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from ingestion.lake.drain import drain
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from tests.ingestion.receivers.test_receivers import NOW_NS, landed, span_request

HOUR_NS = 3_600_000_000_000


def put(attributes, *pairs: tuple[str, str]) -> None:
    """Append attributes, whatever is there."""
    for key, value in pairs:
        made = KeyValue(key=key)
        made.value.string_value = value
        attributes.append(made)


TWICE = (("http.route", "/a"), ("http.request.method", "GET"), ("http.route", "/b"))


def doubled_spans() -> ExportTraceServiceRequest:
    request = span_request()
    resource = request.resource_spans[0]
    put(resource.resource.attributes, ("host.name", "web-1"), ("host.name", "web-2"))
    put(resource.scope_spans[0].scope.attributes, *TWICE)
    span = resource.scope_spans[0].spans[0]
    put(span.attributes, *TWICE)
    put(span.events.add(name="retry").attributes, *TWICE)
    put(span.links.add(trace_id=b"l" * 16, span_id=b"l" * 8).attributes, *TWICE)
    other = resource.scope_spans[0].spans.add()
    other.CopyFrom(span)
    other.span_id = b"o" * 8
    del other.attributes[:]
    put(other.attributes, *TWICE[:2])
    return request


def doubled_logs() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    put(resource.resource.attributes, ("service.name", "player-api"))
    record = resource.scope_logs.add().log_records.add(time_unix_nano=NOW_NS, severity_number=9)
    put(record.attributes, *TWICE)
    return request


def doubled_points() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    put(resource.resource.attributes, ("service.name", "player-api"))
    metrics = resource.scope_metrics.add().metrics
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        point = getattr(metrics.add(name="http.server.requests"), kind).data_points.add()
        point.time_unix_nano = NOW_NS
        put(point.attributes, *TWICE)
    return request


DOUBLED = {"spans": doubled_spans, "logs": doubled_logs, "metric_points": doubled_points}


@pytest.fixture
def window() -> Window:
    now = datetime.fromtimestamp(NOW_NS / 1e9, UTC)
    return Window(minutes=60, max_errors=100, clock=lambda: now)


def noted(spool: Spool) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for row in landed(spool, "ledger"):
        if row["outcome"] == "noted":
            found[row["component"], row["reason"]] += row["items"]
    return found


@pytest.mark.parametrize("signal", DOUBLED)
def test_of_a_key_that_comes_twice_the_last_value_stays_everywhere(
    pipeline: Pipeline, spool: Spool, signal: str
) -> None:
    (answer,) = pipeline.process([Incoming(signal, DOUBLED[signal]().SerializeToString())])
    rows = landed(spool, signal)
    assert answer.accepted == len(rows)
    assert not answer.rejected
    for row in rows:
        inner = [*(row.get("events") or ()), *(row.get("links") or ())]
        for entries in (row["attributes"], *(part["attributes"] for part in inner)):
            keys = [key for key, _ in entries]
            assert len(keys) == len(set(keys))
    assert dict(rows[0]["attributes"])["http.route"] == "/b"
    if signal == "spans":
        assert dict(rows[1]["attributes"])["http.route"] == "/a"
        assert rows[0]["host"] == "web-2"


def test_a_value_that_goes_because_another_follows_is_counted(
    pipeline: Pipeline, spool: Spool
) -> None:
    pipeline.process([Incoming("logs", doubled_logs().SerializeToString())])
    counted = {
        (row["field"], row["treatment"]): row["value_count"]
        for row in landed(spool, "gate_decisions")
    }
    assert counted["http.route", "drop"] == 1


@pytest.mark.parametrize("signal", DOUBLED)
def test_what_has_a_key_twice_reaches_window_and_lake(
    pipeline: Pipeline,
    spool: Spool,
    settings: Settings,
    keys: KeyStore,
    window: Window,
    signal: str,
) -> None:
    pipeline.process([Incoming(signal, DOUBLED[signal]().SerializeToString())])
    batches = [(b.seq, b.table()) for b in spool.read(0, signals=[signal])]
    assert window.ingest(signal, batches) == sum(table.num_rows for _, table in batches)
    window.cursor()
    assert drain(settings, keys).landed[signal] == sum(t.num_rows for _, t in batches)


def test_a_span_that_ends_before_it_starts_took_no_time_and_is_told(
    pipeline: Pipeline, spool: Spool
) -> None:
    request = span_request(end_time_unix_nano=NOW_NS - 100_000_000)
    pipeline.process([Incoming("spans", request.SerializeToString())])
    (row,) = landed(spool, "spans")
    assert row["duration_ns"] == 0
    assert noted(spool)["player-api", "end_before_start"] == 1


def test_numbers_that_an_enumeration_lacks_are_unspecified_and_told(
    pipeline: Pipeline, spool: Spool
) -> None:
    spans = span_request(kind=77)
    spans.resource_spans[0].scope_spans[0].spans[0].status.code = 9
    logs = doubled_logs()
    records = logs.resource_logs[0].scope_logs[0].log_records
    records[0].severity_number = 99
    records.add(time_unix_nano=NOW_NS, severity_number=-3)
    records.add(time_unix_nano=NOW_NS, severity_number=24)
    points = ExportMetricsServiceRequest()
    metric = points.resource_metrics.add().scope_metrics.add().metrics.add(name="x")
    metric.sum.aggregation_temporality = 12
    metric.sum.data_points.add(time_unix_nano=NOW_NS)
    pipeline.process(
        [
            Incoming("spans", spans.SerializeToString()),
            Incoming("logs", logs.SerializeToString()),
            Incoming("metric_points", points.SerializeToString()),
        ]
    )
    (span,) = landed(spool, "spans")
    (point,) = landed(spool, "metric_points")
    assert (span["kind"], span["status_code"]) == ("UNSPECIFIED", "UNSET")
    assert [row["severity_number"] for row in landed(spool, "logs")] == [0, 0, 24]
    assert point["temporality"] == "unspecified"
    assert noted(spool) == {
        ("player-api", "unknown_enum_number"): 3,
        ("unknown_service", "unknown_enum_number"): 1,
    }


def test_what_comes_before_its_time_is_kept_and_told(pipeline: Pipeline, spool: Spool) -> None:
    import time

    ahead_ns = time.time_ns() + 2 * HOUR_NS
    logs = doubled_logs()
    logs.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = ahead_ns
    spans = span_request(start_time_unix_nano=ahead_ns, end_time_unix_nano=ahead_ns)
    pipeline.process(
        [
            Incoming("spans", spans.SerializeToString()),
            Incoming("logs", logs.SerializeToString()),
        ]
    )
    assert noted(spool)["player-api", "clock_ahead"] == 2
    assert len(landed(spool, "spans")) == len(landed(spool, "logs")) == 1
