"""One odd field or half a character loses that alone, never what it came with."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.receivers.decoding.otlp_json import json_bodies
from ingestion.receivers.doors import sentry, sentry_events
from ingestion.receivers.doors.http import JSON
from ingestion.spool import Spool
from tests.ingestion.receivers.test_receivers import NOW_NS, door, landed

ID = "0123456789abcdef0123456789abcdef"
FRAMES = [{"filename": "shop/cart.py", "function": "add", "lineno": 5, "in_app": True}]
KEY_ERROR = {"type": "KeyError", "value": "missing", "stacktrace": {"frames": FRAMES}}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["values", "type", "frames", "trace", "id", "x"]), inner)
    ),
    max_leaves=8,
)
FIELDS = (
    "timestamp level exception threads stacktrace contexts tags user request logentry message"
    " breadcrumbs fingerprint transaction release environment server_name logger platform"
    " sentry.interfaces.Exception"
).split()


def record_of(event: dict[str, Any]) -> dict[str, Any]:
    """The one log record that an event becomes, with its attributes by name."""
    envelope = sentry.read_store(json.dumps(event).encode())
    request = ExportLogsServiceRequest.FromString(
        sentry_events.to_logs(envelope, None, "shop", "1")
    )
    (record,) = request.resource_logs[0].scope_logs[0].log_records
    attributes = {a.key: a.value.string_value for a in record.attributes}
    return {"time": record.time_unix_nano, "severity": record.severity_number, **attributes}


def spans_json(text: str) -> bytes:
    """Two spans as JSON; the second holds `text` as it would stand in JSON."""
    spans = [
        {
            "traceId": ID,
            "spanId": f"000000000000000{n}",
            "name": f"GET /{n}",
            "startTimeUnixNano": str(NOW_NS),
            "endTimeUnixNano": str(NOW_NS),
            "attributes": [{"key": "http.route", "value": {"stringValue": f"/cut{n}"}}],
        }
        for n in (1, 2)
    ]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    return body.replace("/cut2", f"/cut{text}").encode()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("\\ud83d", "/cut\ufffd"),
        ("\\udc00 end", "/cut\ufffd end"),
        ("\\ud83d\\ud83d\\ude00", "/cut\ufffd\U0001f600"),
        ("\\ud83d\\ude00", "/cut\U0001f600"),
        ("\\ude00\\ud83d", "/cut\ufffd\ufffd"),
    ],
)
def test_half_a_character_is_replaced_and_every_span_is_kept(
    pipeline: Pipeline, spool: Spool, text: str, kept: str
) -> None:
    with door(pipeline) as client:
        answer = client.post("/v1/traces", content=spans_json(text), headers={"content-type": JSON})
    assert answer.status_code == 200
    assert len(landed(spool, "spans")) == 2
    batch, _, _ = json_bodies.to_arrow("spans", [spans_json(text)])
    spans = batch.to_pylist()[0]["resource_spans"][0]["scope_spans"][0]["spans"]
    assert [s["attributes"][0]["value"]["string_value"] for s in spans] == ["/cut1", kept]


def test_a_body_that_is_wrong_otherwise_is_still_refused(pipeline: Pipeline) -> None:
    body = spans_json("\\ud83d").replace(b'"spans"', b'"spans": 5, "spans"', 1)
    body = body.replace(f'"{NOW_NS}"'.encode(), b'"soon"')
    with door(pipeline) as client:
        answer = client.post("/v1/traces", content=body, headers={"content-type": JSON})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "when", [1795890000123, 1e30, -5, float("nan"), float("inf"), True, "soon", [1], {}, None]
)
def test_a_time_that_cannot_be_meant_leaves_the_time_of_arrival(
    pipeline: Pipeline, spool: Spool, when: object
) -> None:
    event = {"event_id": ID, "exception": KEY_ERROR, "timestamp": when}
    with door(pipeline) as client:
        answer = client.post(
            "/api/1/store/", content=json.dumps(event), headers={"x-sentry-auth": "sentry_key=shop"}
        )
    assert answer.status_code == 200
    (row,) = landed(spool, "logs")
    assert row["event_at"] == row["received_at"]


def test_a_time_in_seconds_is_kept_to_the_microsecond() -> None:
    assert record_of({"timestamp": 1790000000.123456})["time"] == 1_790_000_000_123_456_000
    assert record_of({"timestamp": "2026-09-21T14:13:20Z"})["time"] == NOW_NS


@pytest.mark.parametrize(
    "event",
    [
        {"exception": KEY_ERROR},
        {"exception": [KEY_ERROR]},
        {"exception": {"values": [KEY_ERROR]}},
        {"exception": {"values": KEY_ERROR}},
        {"exception": {"values": [None, KEY_ERROR]}},
        {"sentry.interfaces.Exception": {"values": [KEY_ERROR]}},
        {"sentry.interfaces.Exception": KEY_ERROR},
    ],
)
def test_an_exception_is_read_in_every_form(event: dict[str, Any]) -> None:
    record = record_of({"platform": "python", **event})
    assert (record["exception.type"], record["exception.message"]) == ("KeyError", "missing")
    assert '"shop/cart.py", line 5, in add' in record["exception.stacktrace"]


@pytest.mark.parametrize(
    "event",
    [
        {"threads": {"values": [{"stacktrace": {"frames": FRAMES}}]}},
        {"threads": [{"stacktrace": {"frames": FRAMES}}]},
        {"stacktrace": {"frames": FRAMES}},
        {"sentry.interfaces.Stacktrace": {"frames": FRAMES}},
    ],
)
def test_a_stack_without_an_exception_is_read_in_every_form(event: dict[str, Any]) -> None:
    assert "shop/cart.py" in record_of({"platform": "python", **event})["exception.stacktrace"]


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=8))
def test_no_field_whatever_it_holds_loses_the_event(fields: dict[str, Any]) -> None:
    record_of({"event_id": ID, **fields})


def test_a_number_of_thousands_of_digits_loses_no_event() -> None:
    event = b'{"message": "full", "level": "warning", "extra": {"n": ' + b"9" * 9_000 + b"}}"
    envelope = sentry.read_store(event)
    assert envelope.events[0]["message"] == "full"
