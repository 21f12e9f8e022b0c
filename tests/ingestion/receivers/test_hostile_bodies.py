"""Bodies that are legal, or nearly, and expensive: answered with the limit named, and nobody waits."""

import gzip
import json
from typing import Any

import pytest

from ingestion.receivers.committing.large_body import LargeBody
from ingestion.receivers.committing.pipeline import Answer, Incoming, Pipeline
from ingestion.receivers.decoding.budget import BodyBudget
from ingestion.receivers.doors.http import JSON, PROTOBUF
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.ingestion.receivers.test_receivers import NOW_NS, door, landed, post, span_request

SMALL = BodyBudget(
    items=2_000, groups=100, item_values=500, item_bytes=200_000, depth=16, work_s=60
)
PADDING = b'"x":"' + b" " * 1_400_000 + b'",'  # more than a turn looks at


@pytest.fixture
def tight(spool: Spool, keys: KeyStore) -> Pipeline:
    return Pipeline(spool, keys, budget=SMALL)


def told(spool: Spool) -> list[tuple[str, str, int]]:
    """Outcome, reason and items of the ledger."""
    return [(r["outcome"], r["reason"], r["items"]) for r in landed(spool, "ledger")]


def span_json(
    number: int, attributes: list[Any] | None = None, name: str = "GET"
) -> dict[str, Any]:
    return {
        "traceId": f"{number + 1:032x}", "spanId": f"{number + 1:016x}", "name": name,
        "startTimeUnixNano": str(NOW_NS), "endTimeUnixNano": str(NOW_NS + 1),
        "attributes": attributes or [],
    }  # fmt: skip


def traces_json(spans: list[dict[str, Any]], component: str = "guest") -> bytes:
    named = {"key": "service.name", "value": {"stringValue": component}}
    group = {"resource": {"attributes": [named]}, "scopeSpans": [{"spans": spans}]}
    return json.dumps({"resourceSpans": [group]}).encode()


def logs_json(lines: list[str]) -> bytes:
    records = [{"timeUnixNano": str(NOW_NS), "body": {"stringValue": line}} for line in lines]
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()


def large(body: bytes) -> bytes:
    """The same JSON export, large enough to be cut."""
    return b"{" + PADDING + body[1:]


def finished(pipeline: Pipeline, request: Incoming) -> Answer:
    body = LargeBody(pipeline, request)
    body.look()
    while (answer := body.step()) is None:
        pass
    return answer


MANY_ATTRIBUTES = [{"key": f"k{n}", "value": {"stringValue": "v" * 60}} for n in range(1_000)]


@pytest.mark.parametrize(
    ("body", "status", "reason", "limit"),
    [
        (b'{"resourceSpans":[' + b"{}," * 300_000 + b"{}]}", 413, "too_many_groups", "groups"),
        (b'{"resourceSpans":[' + b"1," * 300_000 + b"1]}", 413, "too_many_groups", "groups"),
        (b'{"resourceSpans":[{"scopeSpans":[' + b"{}," * 300_000 + b"{}]}]}", 413, "too_many_groups",
         "groups"),
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 300_000 + b"{}]}]}]}", 413,
         "too_many_items", "items"),
        (large(b'{"resourceSpans":' + b"[" * 5_000 + b"]" * 5_000 + b"}"), 400, "nested_too_deeply",
         "depth"),
        (large(json.dumps({"resourceSpans": [{"resource": {"attributes": MANY_ATTRIBUTES},
         "scopeSpans": [{"spans": [span_json(0)]}]}]}).encode()), 413, "too_many_values", "item_values"),
    ],
    ids=["empty resources", "numbers", "empty scopes", "empty spans", "brackets", "wide resource"],
)  # fmt: skip
def test_a_json_body_beyond_a_limit_is_refused_with_its_name_and_counted(
    tight: Pipeline, spool: Spool, body: bytes, status: int, reason: str, limit: str
) -> None:
    with door(tight) as client:
        headers = {"content-type": JSON, "content-encoding": "gzip"}
        answer = client.post("/v1/traces", content=gzip.compress(body), headers=headers)
        assert answer.status_code == status
        assert limit in answer.json()["message"]
        assert post(client, span_request().SerializeToString()).status_code == 200
    counted = {(r["outcome"], r["reason"]): r["items"] for r in landed(spool, "ledger")}
    assert counted == {("arrived", ""): 1, ("rejected", reason): 1, ("accepted", ""): 1}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x0a\x00" * 300_000, "too_many_groups"),
        (b"\x0a\xc0\xcf\x24" + b"\x12\x00" * 300_000, "too_many_items"),
        (b"\x7a\x00" * 300_000, "too_many_items"),
    ],
    ids=["empty resources", "empty scopes", "unknown fields"],
)
def test_a_protobuf_body_beyond_a_limit_is_refused(
    tight: Pipeline, spool: Spool, body: bytes, reason: str
) -> None:
    with door(tight) as client:
        assert post(client, body).status_code == 413
    assert told(spool) == [("arrived", "", 1), ("rejected", reason, 1)]


def test_a_refusal_is_counted_although_nobody_else_sends(tight: Pipeline, spool: Spool) -> None:
    with door(tight, max_body_bytes=100) as client:
        assert post(client, b"x" * 101).status_code == 413
    assert told(spool) == [("arrived", "", 1), ("rejected", "body_too_large", 1)]


def test_an_item_of_too_many_values_is_rejected_alone_in_json_and_protobuf(
    tight: Pipeline, spool: Spool
) -> None:
    spans = [span_json(0), span_json(1, MANY_ATTRIBUTES), span_json(2)]
    answer = finished(tight, Incoming("spans", traces_json(spans), None, is_json=True))
    assert (answer.accepted, answer.rejected, answer.message) == (2, 1, "rejected: too_many_values")
    request = span_request(span=b"goodspan")
    wide = span_request()
    for number in range(1_000):
        wide.resource_spans[0].scope_spans[0].spans[0].attributes.add(
            key=f"k{number}"
        ).value.string_value = "v" * 60
    request.MergeFrom(wide)
    answer = finished(tight, Incoming("spans", request.SerializeToString()))
    assert (answer.accepted, answer.rejected) == (1, 1)
    rejected = [r for r in landed(spool, "ledger") if r["outcome"] == "rejected"]
    assert {(r["component"], r["reason"]) for r in rejected} == {
        ("guest", "too_many_values"), ("player-api", "too_many_values"),
    }  # fmt: skip


def test_deep_arrays_lose_only_themselves(pipeline: Pipeline, spool: Spool) -> None:
    request = span_request(span=b"goodspan")
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="http.route").value
    for _ in range(99):
        value = value.array_value.values.add()
    body = request.SerializeToString()
    request.MergeFrom(span_request(span=b"othersp."))
    for content in (body, request.SerializeToString()):
        pipeline.process([Incoming("spans", content)])
    assert len(landed(spool, "spans")) == 3


@pytest.mark.parametrize(
    ("envelope", "detail"),
    [
        (b"{}\n" + b'{"type":"event"}\n{"message":"x"}\n' * 1_001, "1000 events"),
        (b"{}\n" + b'{"type":"attachment","length":1}\nx\n' * 10_001, "10000 items"),
        (b'{}\n{"type":"event"}\n{"extra":[' + b"{}," * 200_000 + b"{}]}\n", "200000 values"),
    ],
    ids=["events", "items", "values"],
)
def test_an_envelope_of_too_much_is_413(pipeline: Pipeline, envelope: bytes, detail: str) -> None:
    with door(pipeline) as client:
        answer = client.post("/api/1/envelope/?sentry_key=guest", content=envelope)
    assert answer.status_code == 413
    assert detail in answer.json()["detail"]


def test_names_of_the_protocols_files_are_read_when_small_and_refused_when_large(
    pipeline: Pipeline, spool: Spool
) -> None:
    small = traces_json([span_json(0)]).replace(b"resourceSpans", b"resource_spans")
    small = small.replace(b"scopeSpans", b"scope_spans").replace(b"traceId", b"trace_id")
    with door(pipeline) as client:
        for body, status in ((small, 200), (small[:-1] + b"," + PADDING[:-1] + b"}", 400)):
            answer = client.post("/v1/traces", content=body, headers={"content-type": JSON})
            assert answer.status_code == status
    assert len(landed(spool, "spans")) == 1


def test_protobuf_and_json_have_one_answer_type(tight: Pipeline) -> None:
    with door(tight) as client:
        answer = post(client, b"\x0a\x00" * 300_000)
    assert answer.headers["content-type"] == PROTOBUF
