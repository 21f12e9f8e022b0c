"""Who sends more different values than are kept apart is named by an alert, and what they are of."""

from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ingestion.receivers.committing.new_values import OTHER, ValueLimits
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.rounds import Rounds
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.words.life_records import Alert
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from tests.ingestion.receivers.test_receivers import span_request
from tests.live_tail.test_live_tail import catch_up

LIMIT = 2
LIMITS = ValueLimits(LIMIT, LIMIT, LIMIT, LIMIT, LIMIT, LIMIT)
KINDS = ("components", "instances", "span_names", "routes", "attribute_names", "series")
VERBS = ("GET", "PUT", "POST")


def body(kind: str, count: int) -> Incoming:
    """So many different values of a kind, of the component `flood`."""
    if kind == "series":
        return gauges(count)
    request = span_request()
    del request.resource_spans[:]
    for number, verb in enumerate(VERBS[:count]):
        name = f"flood{number}" if kind == "components" else "flood"
        one = span_request(service=name, span=bytes([number + 1]) * 8, name="GET")
        resource, span = (
            one.resource_spans[0].resource,
            one.resource_spans[0].scope_spans[0].spans[0],
        )
        if kind == "instances":
            resource.attributes.add(key="service.instance.id").value.string_value = verb
        elif kind == "span_names":
            span.name = verb
        elif kind == "routes":
            span.attributes.add(key="http.route").value.string_value = f"/{verb.lower()}"
        elif kind == "attribute_names":
            span.attributes.add(key=f"tta.theme{number}").value.int_value = 1
        request.MergeFrom(one)
    return Incoming("spans", request.SerializeToString())


def gauges(count: int) -> Incoming:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add()
    metrics.resource.attributes.add(key="service.name").value.string_value = "flood"
    points = metrics.scope_metrics.add().metrics.add(name="queue.size").gauge.data_points
    for state in ("idle", "user", "system")[:count]:
        point = points.add(time_unix_nano=int(datetime.now(UTC).timestamp() * 1e9), as_double=1.0)
        point.attributes.add(key="system.cpu.state").value.string_value = state
    return Incoming("metric_points", request.SerializeToString())


@pytest.fixture
def pipeline(spool: Spool, keys: KeyStore) -> Pipeline:
    return Pipeline(spool, keys, limits=LIMITS)


def fired(settings: Settings, keys: KeyStore, spool: Spool) -> list[Alert]:
    """What fires when a window that has the spool is judged by the shipped rules."""
    now = datetime.now(UTC)
    window = Window(minutes=60, max_errors=10, clock=lambda: now)
    catch_up(spool, window)
    rules = {rule.name: rule for rule in load_rules([SHIPPED])}
    made = Rounds(Sources(window), list(rules.values())).make(now)
    assert "TooManyValues" not in made.failed
    manager = Manager(Store(settings.home, keys), WatchedPolicy(settings.home), clock=lambda: now)
    events = manager.take(made, rules)
    return [e.alert for e in events if e.kind == "fired" and e.alert.rule == "TooManyValues"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_value_too_many_fires_an_alert_that_names_the_component_and_the_kind(
    pipeline: Pipeline, spool: Spool, settings: Settings, keys: KeyStore, kind: str
) -> None:
    pipeline.process([body(kind, LIMIT + 1)])
    (alert,) = fired(settings, keys, spool)
    component = OTHER if kind == "components" else "flood"
    assert dict(alert.labels) == {"component": component, "reason": f"too_many_{kind}"}
    assert f"too_many_{kind}" in alert.summary and component in alert.summary


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_values_as_are_allowed_fire_nothing(
    pipeline: Pipeline, spool: Spool, settings: Settings, keys: KeyStore, kind: str
) -> None:
    pipeline.process([body(kind, LIMIT)])
    assert fired(settings, keys, spool) == []
