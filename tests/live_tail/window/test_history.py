"""What arrives as history: late rows and the rest of their delivery are shown, but judge nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.receivers.decoding.flatten import flatten
from ingestion.receivers.decoding.protobuf import to_arrow
from live_tail.alerts.reading.facts import bad_and_total
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.reading.selecting import Select
from live_tail.alerts.trials.backtest import Body
from live_tail.window.history import Deliveries
from live_tail.window.window import Window
from privacy.gate.gate_columns import Gate
from privacy.keys.key_store import KeyStore
from privacy.keys.pseudonyms import Pseudonyms
from tests.live_tail.alerts.telemetry import START, gauge, redis, request, service_up, spans

NOW = datetime.fromtimestamp(START, UTC)
AT = NOW.replace(tzinfo=None)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(Pseudonyms(KeyStore.open(tmp_path, create=True), "operations"))


@pytest.fixture
def window() -> Window:
    return Window(minutes=60, max_errors=10, clock=lambda: NOW)


def landed(gate: Gate, body: Body, received_s: float = START) -> pa.Table:
    gate.begin(NOW.date())
    batch, _, _ = to_arrow(body.signal, [body.content])
    return flatten(body.signal, batch, gate, int(received_s * 1e6)).table


def marks(deliveries: Deliveries, *tables: pa.Table) -> list[list[bool]]:
    return [deliveries.marked("spans", table)["is_history"].to_pylist() for table in tables]


def told(gate: Gate, ago_s: float, component: str = "api", later_s: float = 0) -> pa.Table:
    made = spans(START - ago_s, component, request(START - ago_s, "/x"))
    return landed(gate, made, START + later_s)


def test_what_is_told_soon_is_no_history(gate: Gate) -> None:
    assert marks(Deliveries(), told(gate, 1), told(gate, 299)) == [[False], [False]]


def test_a_long_call_is_told_when_it_ends(gate: Gate) -> None:
    slow = spans(START - 600, "api", redis(START - 600, "GET"))
    table = landed(gate, slow)
    longest = table.set_column(
        table.schema.get_field_index("duration_ns"), "duration_ns", pa.array([590 * 10**9])
    )
    assert marks(Deliveries(), table) == [[True]]
    assert marks(Deliveries(), longest) == [[False]]


def test_the_end_of_a_replay_is_history_like_its_beginning(gate: Gate) -> None:
    deliveries = Deliveries()
    assert marks(deliveries, told(gate, 900), told(gate, 60), told(gate, 1)) == [[True]] * 3


def test_another_sender_and_what_happens_after_the_replay_are_not(gate: Gate) -> None:
    deliveries = Deliveries()
    marks(deliveries, told(gate, 900))
    assert marks(deliveries, told(gate, 60, "other"), told(gate, -5, later_s=5)) == [[False]] * 2


def test_a_minute_after_its_last_late_delivery_a_sender_has_caught_up(gate: Gate) -> None:
    deliveries = Deliveries()
    marks(deliveries, told(gate, 900))
    assert marks(deliveries, told(gate, 30, later_s=61)) == [[False]]


def test_history_is_counted_and_shown_but_no_evidence(gate: Gate, window: Window) -> None:
    error = "redis.exceptions.ConnectionError"
    late = [
        spans(START - ago, "api", redis(START - ago, "GET", error=error), request(START - ago, "/chat/x", 500))
        for ago in (600, 400, 20, 10)
    ]  # fmt: skip
    window.ingest("spans", [(n, landed(gate, body)) for n, body in enumerate(late, start=1)])
    window.ingest("metric_points", [(9, landed(gate, service_up(START - 400, "redis", 0.0)))])
    window.ingest("metric_points", [(10, landed(gate, service_up(START - 10, "redis", 0.0)))])
    sources = Sources(window)
    for fact in ("dependency_down", "failures", "service_down"):
        assert sources.vector(Select.model_validate({"fact": fact}), AT) == {}
    requests = Select.model_validate(
        {"fact": "requests", "value": "count", "over": "15m", "by": []}
    )
    assert sources.vector(requests, AT) == {(): 4.0}
    hour = timedelta(hours=1)
    assert bad_and_total(window, AT, hour)["api", "requests"] == (4, 4)
    assert bad_and_total(window, AT, hour, with_past=False)["api", "requests"] == (0, 0)


def test_a_metric_of_the_past_is_no_value_of_now(gate: Gate, window: Window) -> None:
    for ago in (400, 5):
        body = gauge(START - ago, "disk", 0.99, "host", {})
        window.ingest("metric_points", [(int(1_000 - ago), landed(gate, body))])
    select = Select.model_validate({"metric": "disk", "by": []})
    assert Sources(window).vector(select, AT) == {}
    alive = gauge(START, "disk", 0.5, "host", {})
    window.ingest("metric_points", [(2_000, landed(gate, alive, START + 1))])
    assert Sources(window).vector(select, AT + timedelta(seconds=1)) == {(): 0.5}
