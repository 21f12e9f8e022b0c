"""What the gate did is counted by component, field and treatment, exactly once with the batch."""

from collections import Counter
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.lake.drain import drain
from ingestion.receivers.committing.pipeline import Incoming, Pipeline, StorageUnavailable
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.detection import identity
from privacy.gate.allow_list import load_allow_list
from privacy.gate.counts import Owners, Tally
from privacy.keys.key_store import KeyStore
from tests.ingestion.lake.test_lake import rows
from tests.ingestion.receivers.test_receivers import NOW_NS, span_request

Counted = Counter[tuple[str, str, str, str]]


def spooled(spool: Spool) -> Counted:
    """Values by (component, signal, field, treatment) in the spool."""
    found: Counted = Counter()
    for batch in spool.read(0, limit=10_000, signals=["gate_decisions"]):
        for row in batch.table().to_pylist():
            found[row["component"], row["signal"], row["field"], row["treatment"]] += row[
                "value_count"
            ]
    return found


def with_attributes(service: str, **values: object) -> ExportTraceServiceRequest:
    request = span_request(service=service)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    for name, value in values.items():
        field = "int_value" if isinstance(value, int) else "string_value"
        setattr(span.attributes.add(key=name.replace("__", ".")).value, field, value)
    return request


def send(pipeline: Pipeline, *requests: ExportTraceServiceRequest) -> None:
    pipeline.process([Incoming("spans", r.SerializeToString()) for r in requests])


def test_each_value_is_counted_under_its_component_field_and_treatment(
    pipeline: Pipeline, spool: Spool
) -> None:
    api = with_attributes(
        "player-api",
        http__method="GET",
        http__status_code=200,
        user__id="u-1",
        http__target="/players/7?x=1",
        gen_ai__prompt="I feel alone",
        exception__message="user jane failed",
        player__mood_score=3,
    )
    engine = with_attributes("engine", http__method="GET", user__id="u-2")
    send(pipeline, api, engine)
    counted = spooled(spool)
    expected = {
        ("player-api", "http.method", "keep"),
        ("player-api", "http.status_code", "keep"),
        ("player-api", "user.id", "pseudonymise"),
        ("player-api", "http.target", "template"),
        ("player-api", "gen_ai.prompt", "drop"),
        ("player-api", "exception.message", "scrub"),
        ("player-api", "player.mood_score", "unknown"),
        ("engine", "http.method", "keep"),
        ("engine", "user.id", "pseudonymise"),
        *((c, f, "keep") for c in ("player-api", "engine") for f in ("service.name", "span name")),
    }
    assert {(c, f, t): n for (c, _, f, t), n in counted.items()} == dict.fromkeys(expected, 1)
    assert {signal for _, signal, _, _ in counted} == {"spans"}


def test_a_value_that_could_not_be_kept_is_counted_as_what_became_of_it(
    pipeline: Pipeline, spool: Spool
) -> None:
    request = with_attributes("api", http__method="Zephyrine Quux wrote this")
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="http.flavor").value.bytes_value = b"\x00"
    send(pipeline, request)
    counted = spooled(spool)
    assert counted["api", "spans", "http.method", "scrub"] == 1
    assert counted["api", "spans", "http.flavor", "drop"] == 1
    assert not counted["api", "spans", "http.method", "keep"]


def test_log_bodies_are_counted_and_those_that_are_no_text_as_dropped(
    pipeline: Pipeline, spool: Spool
) -> None:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "api"
    records = resource.scope_logs.add().log_records
    for body in ("connection failed", "connection failed", "failed for zephyrine@example.org"):
        records.add(time_unix_nano=NOW_NS).body.string_value = body
    records.add(time_unix_nano=NOW_NS).body.kvlist_value.values.add(key="k")
    pipeline.process([Incoming("logs", request.SerializeToString())])
    counted = {t: n for (_, _, f, t), n in spooled(spool).items() if f == "log body"}
    assert counted == {"keep": 2, "scrub": 1, "drop": 1}


def test_a_repeated_body_is_counted_once_and_a_failed_commit_not_at_all(
    pipeline: Pipeline, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = with_attributes("api", user__id="u-1")
    with monkeypatch.context() as broken:
        broken.setattr(Spool, "append", _no_disk)
        with pytest.raises(StorageUnavailable):
            send(pipeline, request)
    send(pipeline, request, request)
    send(pipeline, request)
    assert spooled(spool)["api", "spans", "user.id", "pseudonymise"] == 1


def _no_disk(*_: object, **__: object) -> int:
    import sqlite3

    raise sqlite3.OperationalError("disk full")


def test_the_lake_holds_the_same_counts_however_often_it_is_drained(
    pipeline: Pipeline, spool: Spool, settings: Settings, keys: KeyStore
) -> None:
    for number in range(3):
        request = with_attributes("api", user__id=f"u-{number}")
        request.resource_spans[0].scope_spans[0].spans[0].span_id = bytes([number + 1] * 8)
        send(pipeline, request)
    before = spooled(spool)
    drain(settings, keys)
    drain(settings, keys)
    landed: Counted = Counter()
    found = rows(settings, keys, "gate_decisions")
    for component, signal, field, treatment, _, count in found:
        landed[component, signal, field, treatment] += count
    assert landed == before
    assert len(found) == len(before)  # summed over batches: one row for each


def test_the_capture_is_counted_to_the_last_value(
    pipeline: Pipeline, spool: Spool, incoming: list[Incoming]
) -> None:
    spans = [body for body in incoming if body.signal == "spans"]
    expected: Counter[tuple[str, str]] = Counter()
    for body in spans:
        for resource in ExportTraceServiceRequest.FromString(body.body).resource_spans:
            service = {a.key: a.value.string_value for a in resource.resource.attributes}
            component = service["service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    for attributes in (span.attributes, *(e.attributes for e in span.events)):
                        expected.update((component, a.key) for a in attributes)
    pipeline.process(spans)
    counted: Counter[tuple[str, str]] = Counter()
    for (component, _, field, _), count in spooled(spool).items():
        counted[component, field] += count
    exact = {name for _, name in load_allow_list().exact}
    listed = {key: n for key, n in expected.items() if key[1] in exact}
    assert len(listed) > 20
    ours = {key: counted[key] for key in listed if key[1] not in {"service.name"}}
    assert ours == {key: n for key, n in listed.items() if key[1] not in {"service.name"}}


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=60),
    st.data(),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_tally_counts_what_a_plain_count_counts(pairs, data) -> None:
    owners = Owners(pa.array([o for o, _ in pairs], pa.int32()).to_numpy(), list("wxyz"))
    codes = pa.array([c for _, c in pairs], pa.int64()).to_numpy()
    rulings = [(f"f{i}", "keep") for i in range(5)]
    moved = sorted(data.draw(st.sets(st.integers(0, max(len(pairs) - 1, 0)), max_size=len(pairs))))
    tally = Tally()
    tally.add(owners, codes, rulings, [(pa.array(moved, pa.int64()).to_numpy(), "scrub")])
    expected = Counter(
        ("wxyz"[o], f"f{c}", "scrub" if n in moved else "keep") for n, (o, c) in enumerate(pairs)
    )
    assert tally.take() == expected
    assert tally.take() == Counter()


def test_counts_belong_to_the_hour_of_arrival(pipeline: Pipeline, spool: Spool) -> None:
    send(pipeline, with_attributes("api"))
    (batch,) = spool.read(0, signals=["gate_decisions"])
    (hour,) = set(batch.table().column("hour_at").to_pylist())
    now = datetime.now(UTC).replace(tzinfo=None)
    assert hour.minute == hour.second == 0
    assert 0 <= (now - hour).total_seconds() < 3_700


def test_texts_that_a_failed_detector_drops_are_counted_as_dropped(
    pipeline: Pipeline, spool: Spool
) -> None:
    identity.set_floor(1.1)
    try:
        send(pipeline, with_attributes("api", exception__message="connection failed"))
    finally:
        identity.set_floor(identity.DEFAULT_FLOOR)
    counted = spooled(spool)
    assert counted["api", "spans", "exception.message", "drop"] == 1
    assert counted["api", "spans", "span name", "drop"] == 1
