"""Single events of the live window: tail, exemplars, traces, log lines; bounded, and without people."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from dagster_project.retention.erasure import erase
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.http.live_api import build_app
from live_tail.window.follow import Follower
from live_tail.window.queries.asking import run_query
from live_tail.window.queries.named_query import BadQuery
from live_tail.window.recent import events
from live_tail.window.recent.exemplars import MOST, best
from live_tail.window.recent.ring import Ring
from live_tail.window.recent.traces import Traces
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore

NOW = datetime.now(UTC).replace(second=30, microsecond=0) - timedelta(minutes=2)
CANARY = "player-ada-4711"
WORDS = "scenes stories chat players worlds choices agents models".split()
PSEUDONYM = re.compile(r"p_[0-9a-f]{20}")
TRACE = (7).to_bytes(16, "big")


def named(holder: Any, **values: str | int) -> None:
    for name, value in values.items():
        item = holder.attributes.add(key=name.replace("__", ".")).value
        if isinstance(value, int):
            item.int_value = value
        else:
            item.string_value = value


def spans(*given: dict[str, Any], service: str = "api", version: str = "1.0.0") -> Incoming:
    """Each span: number, trace, parent, ms, second, is_error, name, attributes."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    named(resource.resource, service__name=service, service__version=version)
    named(resource.resource, deployment__environment="staging")
    for told in given:
        start_ns = int((NOW + timedelta(seconds=told.get("second", 0))).timestamp() * 1e9)
        span = resource.scope_spans.add().spans.add(
            trace_id=told.get("trace", TRACE),
            span_id=told["number"].to_bytes(8, "big"),
            parent_span_id=told["parent"].to_bytes(8, "big") if "parent" in told else b"",
            name=told.get("name", "GET /scenes"),
            kind=told.get("kind", 2),
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + int(told.get("ms", 10) * 1e6),
        )
        span.status.code = 2 if told.get("is_error") else 0
        named(span, **told.get("attributes", {}))
    return Incoming("spans", request.SerializeToString())


def request_of(number: int, **more: Any) -> dict[str, Any]:
    attributes = {"http__method": "GET", "http__route": "/scenes/{id}", "http__status_code": 200}
    given = {"number": number, "trace": number.to_bytes(16, "big"), **more}
    return {**given, "attributes": attributes | more.get("attributes", {})}


def records(*texts: str, severity: int = 9, trace: bytes = TRACE, **more: str) -> Incoming:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    named(resource.resource, service__name="api", service__version="1.0.0")
    for number, text in enumerate(texts):
        record = resource.scope_logs.add().log_records.add(
            time_unix_nano=int((NOW + timedelta(seconds=number)).timestamp() * 1e9),
            severity_number=severity,
            trace_id=trace,
            span_id=(1).to_bytes(8, "big"),
        )
        record.body.string_value = text
        named(record, **more)
    return Incoming("logs", request.SerializeToString())


class Live:
    """A window that follows a spool."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        self.window = Window(minutes=60, max_errors=10, clock=lambda: NOW + timedelta(minutes=2))
        self.follower = Follower(Spool(settings.spool_path, keys), self.window)

    def ask(self, name: str, **given: str) -> list[dict[str, Any]]:
        while self.follower.step():
            pass
        return run_query(self.window, name, given)


@pytest.fixture
def live(settings: Settings, keys: KeyStore) -> Live:
    return Live(settings, keys)


def test_the_tail_tells_requests_calls_and_errors_newest_first(
    live: Live, pipeline: Pipeline
) -> None:
    model = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "mistral-small",
             "gen_ai__usage__output_tokens": 7}  # fmt: skip
    pipeline.process(
        [spans(request_of(1), {"number": 2, "second": 1, "attributes": model, "kind": 3})]
    )
    pipeline.process([spans(request_of(3, second=2, ms=20))])
    found = live.ask("tail")
    assert [(r["kind"], r["route"], r["model"]) for r in found] == [
        ("requests", "/scenes/{id}", None),
        ("ai_calls", None, "mistral-small"),
        ("requests", "/scenes/{id}", None),
    ]
    newest = found[0]
    assert (newest["version"], newest["environment"], newest["status"]) == ("1.0.0", "staging", 200)
    assert newest["duration_ms"] == 20 and newest["trace_id"] == (3).to_bytes(16, "big").hex()
    assert found[1]["output_tokens"] == 7
    assert [r["kind"] for r in live.ask("tail", kind="ai_calls")] == ["ai_calls"]
    assert len(live.ask("tail", q="mistral")) == 1 and live.ask("tail", q="mistral scenes") == []
    after = int((NOW + timedelta(seconds=1)).timestamp() * 1e6)
    assert [r["trace_id"] for r in live.ask("tail", after=str(after))] == [newest["trace_id"]]
    with pytest.raises(BadQuery, match="kind"):
        live.ask("tail", kind="spans")


def test_of_each_route_and_minute_the_slowest_three_and_three_that_failed_are_kept(
    live: Live, pipeline: Pipeline
) -> None:
    for number in range(1, 41):
        failed = number % 10 == 0
        pipeline.process(
            [spans(request_of(number, ms=100 + number, is_error=failed and number < 40))]
        )
        if number % 7 == 0:
            live.ask("summary")
    found = live.ask("exemplars", kind="request")
    assert [r["duration_ms"] for r in found if not r["is_failed"]] == [140, 139, 138]
    assert [r["duration_ms"] for r in found if r["is_failed"]] == [130, 120, 110]
    assert {r["name"] for r in found} == {"/scenes/{id}"}
    live.window.tidy()
    assert live.ask("exemplars", kind="request") == found


def test_a_trace_is_whole_though_its_spans_came_one_by_one_and_late(
    live: Live, pipeline: Pipeline
) -> None:
    child = {"number": 2, "parent": 1, "name": "redis GET", "kind": 3, "ms": 4,
             "attributes": {"db__system": "redis", "db__operation": "GET"}}  # fmt: skip
    pipeline.process([spans(child)])
    live.ask("summary")
    pipeline.process([spans(request_of(1, trace=TRACE, ms=900))])
    pipeline.process([spans({"number": 3, "parent": 1, "ms": 1, "second": 1}, service="agent")])
    pipeline.process([records("scene 12 was told", severity=17)])
    pipeline.process([spans(request_of(9))])
    found = live.ask("trace", trace_id=TRACE.hex())
    assert [(r["component"], r["name"]) for r in found] == [
        ("api", "GET /scenes"), ("api", "redis GET"), ("agent", "GET /scenes"),
    ]  # fmt: skip
    assert (
        found[0]["duration_ns"] == 900_000_000
        and found[1]["parent_span_id"] == "a" + "0" * 14 + "1"
    )
    assert found[0]["attributes"]["http.route"] == "/scenes/{id}"
    (line,) = live.ask("trace_logs", trace_id=TRACE.hex().upper())
    assert (line["severity"], line["span_id"]) == ("error", "a" + "0" * 14 + "1")
    assert [r["group_key"] for r in live.ask("trace_errors", trace_id=TRACE.hex())] != []


def test_a_span_that_came_twice_is_told_once(live: Live, pipeline: Pipeline) -> None:
    one = request_of(1, trace=TRACE)
    pipeline.process([spans(one)])
    pipeline.process([spans(one, request_of(2))])
    assert len(live.ask("trace", trace_id=TRACE.hex())) == 1


@pytest.mark.parametrize("wrong", ["x", "abc", "00" * 15])
def test_what_is_no_trace_id_is_said(live: Live, wrong: str) -> None:
    with pytest.raises(BadQuery, match="32 hexadecimal"):
        live.ask("trace", trace_id=wrong)


def test_a_trace_that_nobody_sent_is_empty(live: Live) -> None:
    assert live.ask("trace", trace_id="ab" * 16) == [] == live.ask("trace_logs", trace_id="ab" * 16)


def test_no_answer_holds_what_stands_for_a_person(
    live: Live, pipeline: Pipeline, spool: Spool
) -> None:
    person = {
        "session__id": CANARY, "user__id": CANARY, "tta__player__id": CANARY, "client__address": "10.1.2.3",
        "enduser__id": CANARY, "workflow__session_id": CANARY,
    }  # fmt: skip
    pipeline.process([spans(request_of(1, trace=TRACE, attributes=person, ms=500, is_error=True))])
    pipeline.process([records("scene was told", severity=17, **person)])
    held = str([batch.table().to_pylist() for batch in spool.read(0)])
    assert PSEUDONYM.search(held), "the gate let no pseudonym through: this test looks at nothing"
    client = TestClient(build_app(live.window, live.follower))
    for name in "trace trace_logs trace_errors tail exemplars logs log_patterns search".split():
        asked = "?trace_id=" + TRACE.hex() if name.startswith("trace") else ""
        answer = client.get(f"/api/v1/query/{name}{asked}{'?q=scenes' if name == 'search' else ''}")
        assert answer.status_code == 200
        assert not PSEUDONYM.search(answer.text) and CANARY not in answer.text, name
    (told,) = client.get(f"/api/v1/query/trace?trace_id={TRACE.hex()}").json()["rows"]
    assert told["attributes"].keys() == {"http.method", "http.route", "http.status_code"}
    assert told["instance"] is None and told["start_at"].endswith("Z")


def test_an_erased_person_leaves_the_traces_too(
    live: Live, pipeline: Pipeline, settings: Settings, keys: KeyStore
) -> None:
    pipeline.process([spans(request_of(1, attributes={"user__id": CANARY}))])
    pipeline.process([spans(request_of(2))])
    assert len(live.ask("exemplars")) == 2
    erase(settings, keys, CANARY, datetime.now(UTC).replace(tzinfo=None))
    assert [r["trace_id"] for r in live.ask("exemplars")] == [(2).to_bytes(16, "big").hex()]
    assert live.ask("trace", trace_id=(1).to_bytes(16, "big").hex()) == []
    assert [r["trace_id"] for r in live.ask("tail")] == [(2).to_bytes(16, "big").hex()]


def test_lines_and_patterns_are_found_by_severity_words_and_pattern(
    live: Live, pipeline: Pipeline
) -> None:
    pipeline.process([records("story 12 took 40 ms", "story 13 took 7 ms", "cache is empty")])
    pipeline.process([records("cannot reach redis", severity=17)])
    patterns = live.ask("log_patterns")
    assert [(r["severity"], r["line_count"]) for r in patterns] == [
        ("info", 2), ("error", 1), ("info", 1),
    ]  # fmt: skip
    stories = patterns[0]
    assert stories["pattern"] == "story <*> took <*>"
    lines = live.ask("logs", pattern=stories["pattern_key"])
    assert [r["pattern"] for r in lines] == [stories["pattern"]] * 2
    assert lines[0]["event_at"] > lines[1]["event_at"]
    assert [r["severity"] for r in live.ask("logs", severity="error")] == ["error"]
    assert [r["body"] for r in live.ask("logs", q="EMPTY cache")] == ["cache is empty"]
    counts = live.ask("log_counts", pattern=stories["pattern_key"], step_s="60")
    assert sum(r["line_count"] for r in counts) == 2
    assert live.ask("logs", environment="production") == []


def test_search_finds_what_has_a_name_and_traces_by_their_beginning(
    live: Live, pipeline: Pipeline
) -> None:
    pipeline.process([spans(request_of(1, trace=bytes.fromhex("abcdef" + "01" * 13)))])
    assert [(r["kind"], r["key"]) for r in live.ask("search", q="scenes")] == [
        ("route", "/scenes/{id}")
    ]
    assert next(r["kind"] for r in live.ask("search", q="API")) == "component"
    (trace,) = [r for r in live.ask("search", q="ABCDEF01") if r["kind"] == "trace"]
    assert trace["key"].startswith("abcdef01")
    assert live.ask("search") == [] == live.ask("search", q="nothing of that name")


def test_only_the_release_and_the_environment_that_are_asked_for_are_counted(
    live: Live, pipeline: Pipeline
) -> None:
    pipeline.process([spans(request_of(1)), spans(request_of(2), version="2.0.0")])
    for name in ("requests", "latency", "latency_buckets", "routes", "statuses"):
        found = live.ask(name, version="2.0.0", environment="staging")
        assert [r["request_count"] for r in found] == [1], name
        assert live.ask(name, environment="production") == [], name
    assert live.ask("summary", version="2.0.0", minutes="10")[0]["request_per_s"] == 1 / 600


def test_a_range_ends_where_it_is_said_to_end(live: Live, pipeline: Pipeline) -> None:
    pipeline.process([spans(request_of(1), request_of(2, second=60))])
    at = int(NOW.timestamp())
    first, both = ({"start_at": str(at), "end_at": str(at + s)} for s in (60, 120))
    assert [sum(r["request_count"] for r in live.ask("requests", **g)) for g in (first, both)] == [
        1,
        2,
    ]
    with pytest.raises(BadQuery, match="before"):
        live.ask("requests", start_at=str(at), end_at=str(at))


def test_the_best_of_parts_are_the_best_of_all() -> None:
    rng = np.random.default_rng(5)
    keys = rng.integers(0, 9, 3_000).astype(np.uint64)
    durations, failed = rng.random(3_000), rng.random(3_000) < 0.1
    whole = best(keys, durations, failed)
    parts = np.concatenate(
        [best(*(x[i : i + 100] for x in (keys, durations, failed))) for i in range(0, 3_000, 100)]
    )
    again = parts.copy()
    again[parts] = best(keys[parts], durations[parts], failed[parts])
    assert (again == whole).all()
    assert whole.sum() <= 9 * 2 * MOST and (whole & failed).sum() >= 9 * MOST


def test_a_ring_keeps_the_newest_rows_within_its_bounds() -> None:
    schema = pa.schema([("n", pa.int64())])
    ring = Ring(schema, max_rows=100, max_bytes=10_000)
    for start in range(0, 1_000, 30):
        ring.add(pa.table({"n": list(range(start, start + 30))}, schema=schema))
        assert ring.nbytes <= 10_000
    ring.tidy()
    assert ring.table()["n"].to_pylist() == list(range(920, 1_020))
    assert ring.nbytes == 800
    for _ in range(50):
        ring.add(pa.table({"n": list(range(100))}, schema=schema))
    assert ring.table().num_rows < 300


def test_where_traces_lie_is_bounded_and_chosen_ones_stay() -> None:
    traces = Traces(1_000)
    ids = [n.to_bytes(16, "little") for n in range(1, 5_001)]
    for start in range(0, 5_000, 100):
        some = pa.array(ids[start : start + 100], pa.binary())
        traces.add(Traces.of(some, np.full(100, start + 1)))
        traces.tidy(pa.array(ids[:3], pa.binary()))
    assert len(traces) == 1_003
    assert traces.batches(ids[0]) == [1] and traces.batches(ids[4_999]) == [4_901]
    assert traces.batches(ids[500]) == []


def test_ids_of_another_length_are_no_traces() -> None:
    ids = pa.array([b"", None, b"short", bytes(range(16))], pa.binary())
    found = Traces.of(ids, np.array([1, 2, 3, 4]))
    assert found is not None and list(found[1]) == [4]
    assert Traces.of(pa.array([None], pa.binary()), np.array([1])) is None


def test_an_hour_of_traffic_stays_within_twenty_megabytes(live: Live, pipeline: Pipeline) -> None:
    many = [
        request_of(
            n,
            ms=n % 900,
            is_error=n % 50 == 0,
            attributes={"http__route": f"/{WORDS[n % 8]}/{WORDS[n // 8 % 8]}"},
        )
        for n in range(1, 3_001)
    ]
    pipeline.process([spans(*many)])
    pipeline.process([records(*(f"word{'abcdefghij'[n % 10]} is told" for n in range(3_000)))])
    live.ask("summary")
    recent, batches = live.window.recent, list(live.follower._spool.read(0))
    from live_tail.window.rows.arrow_columns import concatenated
    from live_tail.window.rows.span_facts import Spans

    (first,) = [Spans(concatenated([(b.seq, b.table())])) for b in batches if b.signal == "spans"]
    for minute in range(120):
        moved = first.table.set_column(
            first.table.schema.get_field_index("start_at"),
            "start_at",
            pa.array(first["start_at"].cast(pa.int64()).to_numpy() + minute * 60_000_000).cast(
                pa.timestamp("us")
            ),
        )
        recent.add(recent.of("spans", Spans(moved)))
        recent.tidy(0)
    assert recent.nbytes < 20e6
    assert recent.table("recent_exemplars").num_rows > 10_000


def test_the_columns_of_a_table_are_those_of_its_schema(live: Live, pipeline: Pipeline) -> None:
    pipeline.process([spans(request_of(1))])
    live.ask("summary")
    assert live.window.recent.table("recent_tail").schema == events.SCHEMA
