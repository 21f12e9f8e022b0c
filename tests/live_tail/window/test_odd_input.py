"""The live window takes in everything odd that a sender may say, and still answers everything."""

import time
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.spool import Spool
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.reading.selecting import Select
from live_tail.alerts.rules.evaluate import evaluate
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.window.follow import Follower
from live_tail.window.queries.asking import run_query
from live_tail.window.queries.catalogue import QUERIES
from live_tail.window.window import Window
from live_tail.window.window_tables import Tables
from tests.ingestion.lake.test_poison import DOUBLED, put
from tests.ingestion.lake.test_set_aside import send_poison
from tests.ingestion.receivers.test_receivers import NOW_NS, span_request
from tests.live_tail.window.test_window_tables import ledger
from tests.odd_input import ODD


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.fromtimestamp(NOW_NS / 1e9, UTC) + timedelta(seconds=30)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def window(pipeline: Pipeline, spool: Spool, clock: Clock) -> Window:
    """A window that has taken in what is odd, and what an older receiver let through."""
    send_poison(pipeline)
    for made in (DOUBLED, ODD):
        for signal, make in made.items():
            pipeline.process([Incoming(signal, make().SerializeToString())])
    window = Window(minutes=60, max_errors=100, clock=clock)
    follower = Follower(spool, window)
    while follower.step():
        pass
    assert (follower.unreadable, window.refused) == (0, 0)
    return window


def test_every_query_answers_and_tidying_goes_on(window: Window, clock: Clock) -> None:
    for _ in range(3):
        window.tidy()
        for name in QUERIES:
            required = {"key": "k"} if name == "error_group" else {}
            run_query(window, name, required)
        clock.now += timedelta(minutes=11)


def test_every_shipped_rule_is_evaluated(window: Window, clock: Clock) -> None:
    rules = load_rules([SHIPPED])
    made = evaluate(rules, Sources(window, groups=lambda _: ()), clock.now)
    assert not made.failed


def named(name: str, component: str, kind: str) -> Incoming:
    """Two points of a metric from just now, as one of the kinds that a name may have."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    put(resource.resource.attributes, ("service.name", component))
    metric = resource.scope_metrics.add().metrics.add(name=name)
    data = getattr(metric, kind)
    for after_s in (1, 20):
        point = data.data_points.add(time_unix_nano=time.time_ns() + (after_s - 30) * 10**9)
        put(point.attributes, ("job", component), ("instance", "a:1"))
        if kind == "histogram":
            data.aggregation_temporality = 2
            point.count, point.sum = after_s, 1.0
            point.bucket_counts.append(after_s)
        else:
            point.as_double = 0.0
    return Incoming("metric_points", request.SerializeToString())


@pytest.mark.parametrize(
    ("value", "told"), [("last", {"shop"}), ("p95", {"odd"}), ("count", {"shop", "odd"})]
)
def test_a_senders_metric_of_another_kind_hides_nobodys_of_its_name(
    pipeline: Pipeline, spool: Spool, clock: Clock, value: str, told: set[str]
) -> None:
    clock.now = datetime.now(UTC)
    pipeline.process([named("up", "shop", "gauge"), named("up", "odd", "histogram")])
    window = Window(minutes=60, max_errors=10, clock=clock)
    Follower(spool, window).step()
    select = Select.model_validate({"metric": "up", "value": value, "over": "5m", "by": ["job"]})
    sources = Sources(window, groups=lambda _: ())
    at = clock.now.replace(tzinfo=None)
    found = {dict(labels)["job"] for labels in sources.vector(select, at)}
    assert found == told
    down = next(rule for rule in load_rules([SHIPPED]) if rule.name == "ScrapeTargetDown")
    assert not evaluate([down], sources, clock.now).failed


def test_tokens_that_no_call_can_have_are_none(window: Window) -> None:
    rows = run_query(window, "ai_calls", {})
    assert all(0 <= (row["input_tokens"] or 0) <= 1_000_000_000_000 for row in rows)


def test_a_part_that_a_table_refuses_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = Tables()
    real = Tables._put

    def fails(self: Tables, name: str, parts: list[pa.Table]) -> None:
        if any(part.column("items")[0].as_py() == 13 for part in parts):
            raise duckdb.InvalidInputException
        real(self, name, parts)

    monkeypatch.setattr(Tables, "_put", fails)
    refused = tables.put("hot_ledger", [ledger(0, 1), ledger(1, 13), ledger(2, 5)])
    assert refused == ledger(1, 13).num_rows
    put = tables.con.execute("SELECT DISTINCT items FROM hot_ledger ORDER BY 1").fetchall()
    assert put == [(1,), (5,)]


def test_one_component_that_cannot_be_taken_in_hides_no_other(
    pipeline: Pipeline, spool: Spool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.process(
        [
            Incoming("spans", span_request(service=name).SerializeToString())
            for name in ("odd", "well", "fine")
        ]
    )
    window = Window(minutes=60, max_errors=10, clock=clock)
    follower = Follower(spool, window)
    ingest = window.ingest

    def fails(signal: str, batches: list[tuple[int, pa.Table]]) -> int:
        if any("odd" in t.column("component").to_pylist() for _, t in batches if signal == "spans"):
            raise RuntimeError
        return ingest(signal, batches)

    monkeypatch.setattr(window, "ingest", fails)
    for _ in range(3):
        follower.take_in()
    assert follower.unreadable == 1
    seen = {row["component"] for row in run_query(window, "components", {})}
    assert {"well", "fine"} <= seen
