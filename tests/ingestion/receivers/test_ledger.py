"""Whatever arrives has one fate, and the ledger adds up."""

import re
from collections import Counter
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from ingestion import collectors
from ingestion.contracts.told import drop_metric
from ingestion.receivers.committing import told_drops
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.spool import Spool
from tests.ingestion.receivers.test_receivers import NOW_NS, door, landed, span_request

AUTH = {"x-sentry-auth": "Sentry sentry_key=shop"}


def told(spool: Spool) -> Counter[tuple[str, str, str, str]]:
    found: Counter[tuple[str, str, str, str]] = Counter()
    for row in landed(spool, "ledger"):
        found[row["component"], row["signal"], row["outcome"], row["reason"]] += row["items"]
    return found


def metrics(metric: Metric, component: str = "shop") -> bytes:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = component
    resource.scope_metrics.add().metrics.append(metric)
    return request.SerializeToString()


def test_a_repeated_body_arrives_again_with_what_was_rejected_of_it(
    pipeline: Pipeline, spool: Spool
) -> None:
    request = span_request()
    spans = request.resource_spans[0].scope_spans[0].spans
    spans.add().CopyFrom(spans[0])
    spans[1].trace_id = b""
    for _ in range(2):
        (answer,) = pipeline.process([Incoming("spans", request.SerializeToString())])
        assert (answer.accepted, answer.rejected) == (1, 1)
    assert told(spool) == {
        ("player-api", "spans", "arrived", ""): 4,
        ("player-api", "spans", "accepted", ""): 2,
        ("player-api", "spans", "duplicate", "repeated_body"): 1,
        ("player-api", "spans", "rejected", "invalid_trace_id"): 1,
        ("player-api", "spans", "rejected", "repeated_body"): 1,
    }


def test_each_of_equal_bodies_that_cannot_be_read_is_counted(
    pipeline: Pipeline, spool: Spool
) -> None:
    pipeline.process([Incoming("logs", b"\xff")] * 3)
    assert told(spool) == {
        ("unknown", "logs", "arrived", ""): 3,
        ("unknown", "logs", "rejected", "unreadable_body"): 3,
    }


def test_what_a_collector_could_not_use_is_dropped_by_its_reason(
    pipeline: Pipeline, spool: Spool
) -> None:
    body = metrics(drop_metric("logs", {"an empty log entry": 3, "x: Y": 2}, NOW_NS))
    pipeline.process([Incoming("metric_points", body)] * 2)
    found = told(spool)
    assert found["shop", "logs", "arrived", ""] == 5
    assert found["shop", "logs", "dropped", "an_empty_log_entry"] == 3
    assert found["shop", "logs", "dropped", "x_y"] == 2
    assert found["shop", "metric_points", "accepted", ""] == 4


@pytest.mark.parametrize("items", [0, -1, 10**9 + 1, -(2**63)])
def test_a_count_that_can_be_none_drops_nothing(
    pipeline: Pipeline, spool: Spool, items: int
) -> None:
    pipeline.process(
        [Incoming("metric_points", metrics(drop_metric("logs", {"a reason": items}, NOW_NS)))]
    )
    assert {outcome for _, _, outcome, _ in told(spool)} == {"arrived", "accepted"}


def test_a_signal_that_is_none_or_another_kind_of_metric_drops_nothing(
    pipeline: Pipeline, spool: Spool
) -> None:
    of_nothing = drop_metric("cats", {"a reason": 5}, NOW_NS)
    level = Metric(name=of_nothing.name)
    level.gauge.data_points.extend(of_nothing.sum.data_points)
    for metric in (of_nothing, level):
        pipeline.process([Incoming("metric_points", metrics(metric))])
    assert {outcome for _, _, outcome, _ in told(spool)} == {"arrived", "accepted"}


def dropped(spool: Spool) -> dict[str, int]:
    return {reason: n for (_, _, outcome, reason), n in told(spool).items() if outcome == "dropped"}


def test_reasons_beyond_those_that_collectors_have_share_one(
    pipeline: Pipeline, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told_drops, "_MOST_REASONS", 1)
    metric = drop_metric("logs", {"a label twice": 1, "a series twice": 2, "no value": 3}, NOW_NS)
    pipeline.process([Incoming("metric_points", metrics(metric))])
    assert dropped(spool) == {"label_twice": 1, "other": 5}


def test_every_reason_of_a_collector_passes_the_gate_as_it_is_written(
    pipeline: Pipeline, spool: Spool
) -> None:
    raised = r'(?:BadLine|UnreadableHistogram|_drop|ScrapeFailed)\([^"]*?"([a-zA-Z][^"]+)"'
    counted = r'dropped\["([^"]+)"\]'
    texts = [path.read_text() for path in Path(collectors.__file__).parent.rglob("*.py")]
    reasons = {
        found for text in texts for how in (raised, counted) for found in re.findall(how, text)
    }
    assert len(reasons) > 25
    metric = drop_metric("logs", dict.fromkeys(sorted(reasons), 1), NOW_NS)
    pipeline.process([Incoming("metric_points", metrics(metric))])
    assert dropped(spool).keys() == {
        point.attributes[1].value.string_value for point in metric.sum.data_points
    }


def test_one_unreadable_event_of_an_envelope_takes_no_other_along(
    pipeline: Pipeline, spool: Spool
) -> None:
    parts = (b"{}", b'{"type":"event"}', b'{"message":"well"}', b'{"type":"event"}', b"{broken",
             b'{"type":"session"}', b"{}", b"no header", b"{}")  # fmt: skip
    with door(pipeline) as client:
        answer = client.post("/api/7/envelope/", content=b"\n".join(parts), headers=AUTH)
        assert answer.status_code == 200
    assert [row["body"] for row in landed(spool, "logs")] == ["well"]
    found = told(spool)
    assert found["unknown", "logs", "dropped", "sentry_session_skipped"] == 1
    assert found["unknown", "logs", "dropped", "sentry_unreadable_skipped"] == 2
    arrived = sum(n for (_, _, outcome, _), n in found.items() if outcome == "arrived")
    assert arrived == 4
