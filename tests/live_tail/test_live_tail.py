"""The hot window: late, repeated, skewed, restarted, and in agreement with the marts."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from starlette.testclient import TestClient

from ingestion.lake.duck import open_published
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.reading import facts
from live_tail.alerts.reading.selecting import Select
from live_tail.http.client import LiveClient, LiveUnavailable
from live_tail.http.live_api import ARROW, build_app
from live_tail.window.follow import Follower
from live_tail.window.queries.asking import run_query
from live_tail.window.queries.catalogue import QUERIES
from live_tail.window.queries.named_query import BadQuery
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from tests.ingestion.receivers.test_receivers import span_request

NOW = datetime(2026, 11, 23, 21, 40, tzinfo=UTC)


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def window(clock: Clock) -> Window:
    return Window(minutes=60, max_errors=10, clock=clock)


def catch_up(spool: Spool, window: Window) -> Follower:
    follower = Follower(spool, window)
    while follower.step():
        pass
    return follower


def receive(pipeline: Pipeline, at: datetime, body: bytes, signal: str = "spans") -> None:
    """The body arrives at a time, whatever it tells of."""
    with patch("time.time_ns", return_value=int(at.timestamp() * 1e9)):
        pipeline.process([Incoming(signal, body)])


def probe(at: datetime, *, up: bool) -> bytes:
    """What the health-check service says of `shop`."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add()
    metrics.resource.attributes.add(key="service.name").value.string_value = "health-check-service"
    points = metrics.scope_metrics.add().metrics.add(name="tta_service_up").gauge.data_points
    point = points.add(time_unix_nano=int(at.timestamp() * 1e9), as_double=float(up))
    point.attributes.add(key="service").value.string_value = "shop"
    return request.SerializeToString()


def request_body(number: int, at: datetime, *, status: int = 200, service: str = "api") -> bytes:
    ns = int(at.timestamp() * 1e9)
    request = span_request(
        service=service,
        span=number.to_bytes(7, "big") + b"s",
        start_time_unix_nano=ns,
        end_time_unix_nano=ns + 20_000_000,
    )
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="http.method").value.string_value = "GET"
    span.attributes.add(key="http.route").value.string_value = "/x"
    span.attributes.add(key="http.status_code").value.int_value = status
    return request.SerializeToString()


def total(window: Window) -> int:
    return sum(r["request_count"] for r in run_query(window, "requests", {"minutes": "60"}))


def test_a_committed_request_is_visible_with_its_latency(
    pipeline: Pipeline, spool: Spool, window: Window
) -> None:
    pipeline.process([Incoming("spans", request_body(1, NOW - timedelta(minutes=1), status=503))])
    catch_up(spool, window)
    (row,) = run_query(window, "requests", {"minutes": "15"})
    assert (row["component"], row["request_count"], row["error_count"]) == ("api", 1, 1)
    assert row["p95_ms"] == pytest.approx(20, rel=0.02)


def test_repeated_items_count_once_and_old_or_future_ones_are_counted_aside(
    pipeline: Pipeline, spool: Spool, window: Window
) -> None:
    body = request_body(1, NOW - timedelta(minutes=5))
    pipeline.process([Incoming("spans", body)])
    pipeline.process([Incoming("spans", body + b"\xc0\x3e\x01")])
    pipeline.process([Incoming("spans", request_body(2, NOW - timedelta(hours=2)))])
    pipeline.process([Incoming("spans", request_body(3, NOW + timedelta(hours=2)))])
    catch_up(spool, window)
    assert total(window) == 1
    assert (window.counts["duplicate"], window.counts["late"], window.counts["future"]) == (1, 1, 1)


def test_what_leaves_the_window_is_evicted(
    pipeline: Pipeline, spool: Spool, window: Window, clock: Clock
) -> None:
    pipeline.process([Incoming("spans", request_body(1, NOW))])
    catch_up(spool, window)
    assert total(window) == 1
    clock.now = NOW + timedelta(minutes=61)
    window.tidy()
    assert window.remembered == 0
    assert total(window) == 0


def test_a_restarted_window_is_rebuilt_from_the_spool(
    pipeline: Pipeline, spool: Spool, window: Window, clock: Clock
) -> None:
    for number in range(20):
        pipeline.process([Incoming("spans", request_body(number, NOW - timedelta(seconds=number)))])
    catch_up(spool, window)
    second = Window(minutes=60, max_errors=10, clock=clock)
    catch_up(spool, second)
    assert total(second) == total(window) == 20


def test_a_batch_whose_key_is_gone_is_skipped_and_counted(
    pipeline: Pipeline, spool: Spool, window: Window, keys: KeyStore
) -> None:
    pipeline.process([Incoming("spans", request_body(1, NOW))])
    (first, *_) = spool.read(0)
    keys.destroy("spool", first.day)
    follower = catch_up(spool, window)
    assert follower.unreadable == 2  # the spans and their ledger
    assert follower.is_caught_up()


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_order_and_repetition_of_batches_gives_the_same_counts(
    pipeline: Pipeline, spool: Spool, order: list[int], again: list[int]
) -> None:
    first = spool.last_seq()
    for number in range(6):
        pipeline.process([Incoming("spans", request_body(100 + number, NOW, service=f"s{first}"))])
    tables = [b.table() for b in spool.read(first, signals=["spans"])]
    window = Window(minutes=60, max_errors=10, clock=Clock())
    for seq, number in enumerate([*order, *again]):
        window.ingest("spans", [(seq, tables[number])])
    assert total(window) == 6


def test_merging_partial_aggregates_changes_no_number(
    pipeline: Pipeline, spool: Spool, window: Window
) -> None:
    for number in range(10):
        pipeline.process([Incoming("spans", request_body(number, NOW))])
        catch_up(spool, window)
    before = run_query(window, "routes", {"minutes": "60"})
    window.tidy()
    assert run_query(window, "routes", {"minutes": "60"}) == before
    assert window.cursor().execute("SELECT count(*) FROM hot_requests").fetchone() == (1,)


def test_component_states_follow_errors_and_silence(
    pipeline: Pipeline, spool: Spool, window: Window, clock: Clock
) -> None:
    for minute in range(6):
        at = NOW - timedelta(minutes=minute)
        receive(pipeline, at, request_body(minute, at))
    for number in range(12):
        receive(pipeline, NOW, request_body(50 + number, NOW, status=500, service="bad"))
    # Heard now and then: its silence is no news.
    for number in range(6):
        at = NOW - timedelta(minutes=5 * number)
        receive(pipeline, at, request_body(80 + number, at, service="rare"))
    catch_up(spool, window)

    def states() -> dict[str, str]:
        return {r["component"]: r["state"] for r in run_query(window, "components", {})}

    assert states() == {"api": "ok", "bad": "degraded", "rare": "ok"}
    clock.now = NOW + timedelta(minutes=4)
    assert (states()["api"], states()["rare"]) == ("down", "unknown")


def test_replayed_history_shows_nobody_as_down_however_slowly_it_comes(
    pipeline: Pipeline, spool: Spool, window: Window, clock: Clock
) -> None:
    for minute in range(10):
        of_the_past = NOW - timedelta(minutes=40 - minute)
        told = NOW - timedelta(minutes=10 - minute)
        receive(pipeline, told, request_body(minute, of_the_past))
        receive(pipeline, told, request_body(90 + minute, told, service="both"))
        receive(pipeline, told, request_body(60 + minute, of_the_past, service="both"))
    receive(pipeline, NOW, probe(NOW - timedelta(minutes=30), up=False), "metric_points")
    catch_up(spool, window)

    def states() -> dict[str, tuple[str, str]]:
        rows = run_query(window, "components", {})
        return {row["component"]: (row["state"], row["state_reason"]) for row in rows}

    assert (states()["api"], states()["both"]) == (("unknown", "history only"), ("ok", ""))
    assert "down" not in {state for state, _ in states().values()}
    silent = facts.read_fact(window, Select(fact="silent"), NOW.replace(tzinfo=None))
    assert {labels["component"] for labels, _ in silent} == {"both"}
    clock.now = NOW + timedelta(minutes=4)
    assert states()["both"] == ("down", "no data for 5 min")
    assert states()["api"] == ("unknown", "history only")


def test_a_probe_says_down_for_as_long_as_it_speaks(
    pipeline: Pipeline, spool: Spool, window: Window, clock: Clock
) -> None:
    receive(pipeline, NOW, probe(NOW, up=False), "metric_points")
    catch_up(spool, window)

    def shop() -> str:
        rows = run_query(window, "components", {})
        return next(row["state"] for row in rows if row["component"] == "shop")

    assert shop() == "down"
    clock.now = NOW + timedelta(minutes=4)
    assert shop() == "unknown"


def test_hot_and_cold_agree_on_the_hours_they_share(built: Settings) -> None:
    spool = Spool(built.spool_path, KeyStore.open(built.home))
    window = Window(minutes=60, max_errors=10, clock=Clock())
    catch_up(spool, window)
    cold = open_published(built, "operations")
    pairs = [
        ("SELECT component, route, sum(request_count), sum(error_count) FROM {} GROUP BY 1, 2 ORDER BY 1, 2",
         "hot_requests", "fct_requests_minutely"),
        ("SELECT component, model, sum(call_count), sum(input_tokens), sum(output_tokens) FROM {} GROUP BY 1, 2",
         "hot_ai_calls", "fct_ai_calls_minutely"),
        ("SELECT component, system, operation, sum(operation_count), sum(error_count) FROM {}"
         " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3", "hot_db_operations", "fct_db_operations_minutely"),
    ]  # fmt: skip
    for sql, hot, published in pairs:
        assert (
            window.cursor().execute(sql.format(hot)).fetchall()
            == cold.execute(sql.format(published)).fetchall()
        )


def test_every_query_answers_in_json_and_arrow(built: Settings) -> None:
    spool = Spool(built.spool_path, KeyStore.open(built.home))
    window = Window(minutes=60, max_errors=10, clock=Clock())
    client = TestClient(build_app(window, catch_up(spool, window)))
    listed = [q["name"] for q in client.get("/api/v1/queries").json()]
    assert set(listed) == {*QUERIES, "freshness"}
    for name in listed:
        answer = client.get(f"/api/v1/query/{name}")
        assert answer.status_code == 200, name
        assert answer.json()["name"] == name
        arrow = client.get(f"/api/v1/query/{name}?format=arrow")
        assert arrow.headers["content-type"] == ARROW
        assert pa.ipc.open_stream(arrow.content).read_all().num_rows == len(answer.json()["rows"])
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200
    assert client.get("/readyz?verbose").json()["ready"]
    assert "tta_monitor_live_seq" in client.get("/metrics").text


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("nope", 404, "no query"),
        ("requests?minutes=x", 400, "minutes"),
        ("requests?minutes=0", 400, "minutes"),
        ("requests?colour=red", 400, "colour"),
        ("requests?format=xml", 400, "format"),
    ],
)
def test_a_wrong_question_is_named(
    spool: Spool, window: Window, url: str, status: int, words: str
) -> None:
    client = TestClient(build_app(window, catch_up(spool, window)))
    answer = client.get(f"/api/v1/query/{url}")
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_an_empty_window_answers_null_and_not_zero(spool: Spool, window: Window) -> None:
    catch_up(spool, window)
    (row,) = run_query(window, "summary", {})
    assert row["request_per_s"] is None and row["p95_ms"] is None
    with pytest.raises(BadQuery):
        run_query(window, "components", {"minutes": "5"})


def test_the_client_says_what_to_do_when_nothing_answers(free_port: int) -> None:
    with pytest.raises(LiveUnavailable, match="monitor up"):
        LiveClient(f"http://127.0.0.1:{free_port}").query("summary")


def test_the_follower_goes_on_after_a_failed_round(
    spool: Spool, window: Window, pipeline: Pipeline
) -> None:
    import threading
    import time
    from unittest.mock import patch

    follower = Follower(spool, window, clock=lambda: time.time() + 60)
    real, failed = follower.step, threading.Event()

    def flaky() -> int:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("words that must not be logged")
        return real()

    pipeline.process([Incoming("spans", request_body(1, NOW))])
    with patch.object(follower, "step", flaky):
        thread = threading.Thread(target=follower.run)
        thread.start()
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        while not follower.is_caught_up() and datetime.now(UTC) < deadline:
            thread.join(0.02)
        follower.stop()
        thread.join(5)
    assert total(window) == 1
