"""More different values than are kept apart share one, are counted, and touch nobody else."""

import tracemalloc
from collections import Counter

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ingestion.receivers.committing.new_values import OTHER, NewValues, ValueLimits
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.ingestion.receivers.test_receivers import NOW_NS, landed, span_request

HOUR_US = 3_600_000_000
SMALL = ValueLimits(components=3, instances=2, span_names=2, routes=2, attribute_names=2, series=2)


def limited(spool: Spool, keys: KeyStore) -> Pipeline:
    return Pipeline(spool, keys, limits=SMALL)


def spans(*fields: dict[str, str]) -> Incoming:
    """A span for each, with its own component, instance, name and route where given."""
    request = span_request(service=fields[0].get("service", "shop"))
    del request.resource_spans[:]
    for number, field in enumerate(fields):
        one = span_request(service=field.get("service", "shop"), span=bytes([number + 1]) * 8)
        resource, span = one.resource_spans[0], one.resource_spans[0].scope_spans[0].spans[0]
        span.name = field.get("name", "GET")
        for key, owner in (("service.instance.id", resource.resource), ("http.route", span)):
            if key in field:
                owner.attributes.add(key=key).value.string_value = field[key]
        request.MergeFrom(one)
    return Incoming("spans", request.SerializeToString())


def gauges(*colours: str) -> Incoming:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add()
    metrics.resource.attributes.add(key="service.name").value.string_value = "shop"
    points = metrics.scope_metrics.add().metrics.add(name="queue.size").gauge.data_points
    for number, colour in enumerate(colours):
        point = points.add(time_unix_nano=NOW_NS + number, as_double=1.0)
        point.attributes.add(key="system.cpu.state").value.string_value = colour
    return Incoming("metric_points", request.SerializeToString())


def with_names(service: str, names: list[str], width: int = 100) -> Incoming:
    """Spans with these unlisted attributes, `width` a span."""
    request = span_request(service=service)
    of_scope = request.resource_spans[0].scope_spans[0].spans
    first = of_scope[0]
    for start in range(0, len(names), width):
        span = first if not start else of_scope.add()
        if start:
            span.CopyFrom(first)
            del span.attributes[:]
            span.span_id = (start + 1).to_bytes(8, "big")
        for name in names[start : start + width]:
            span.attributes.add(key=name).value.string_value = "x"
    return Incoming("spans", request.SerializeToString())


def unlisted(spool: Spool, component: str) -> Counter[str]:
    """Values of unlisted attributes by what their name is counted as."""
    found: Counter[str] = Counter()
    for row in landed(spool, "gate_decisions"):
        if (row["component"], row["treatment"]) == (component, "unknown"):
            found[row["field"]] += row["value_count"]
    return found


def noted(spool: Spool) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for row in landed(spool, "ledger"):
        if row["outcome"] in {"noted", "rejected"}:
            found[row["component"], row["outcome"], row["reason"]] += row["items"]
    return found


def test_components_beyond_the_limit_are_one_and_their_items_are_kept(
    spool: Spool, keys: KeyStore
) -> None:
    (answer,) = limited(spool, keys).process([spans(*({"service": f"s{n}"} for n in range(6)))])
    assert (answer.accepted, answer.rejected) == (6, 0)
    assert [row["component"] for row in landed(spool, "spans")] == ["s0", "s1", "s2"] + [OTHER] * 3
    assert noted(spool) == {(OTHER, "noted", "too_many_components"): 3}


def test_a_component_that_was_there_before_a_flood_keeps_its_name(
    spool: Spool, keys: KeyStore
) -> None:
    pipeline = limited(spool, keys)
    pipeline.process([spans({"service": "innocent"})])
    pipeline.process([spans(*({"service": f"s{n}"} for n in range(6)))])
    pipeline.process([spans({"service": "innocent", "name": "PUT"})])
    kept = [row["component"] for row in landed(spool, "spans")]
    assert (kept[0], kept[-1]) == ("innocent", "innocent")


def test_span_names_routes_and_instances_beyond_the_limit_are_other(
    spool: Spool, keys: KeyStore
) -> None:
    verbs = ["GET", "PUT", "POST", "GET"]
    fields = [
        {"name": verb, "http.route": f"/{verb.lower()}", "service.instance.id": verb.lower()}
        for verb in verbs
    ]
    limited(spool, keys).process([spans(*fields)])
    rows = landed(spool, "spans")
    assert [row["name"] for row in rows] == ["GET", "PUT", OTHER, "GET"]
    assert [dict(row["attributes"])["http.route"] == OTHER for row in rows] == [
        False, False, True, False,
    ]  # fmt: skip
    assert [row["component_instance"] == OTHER for row in rows] == [False, False, True, False]
    reasons = ("too_many_instances", "too_many_routes", "too_many_span_names")
    assert noted(spool) == {("shop", "noted", reason): 1 for reason in reasons}


def test_points_of_a_series_too_many_are_rejected_and_never_mixed(
    spool: Spool, keys: KeyStore
) -> None:
    pipeline = limited(spool, keys)
    (answer,) = pipeline.process([gauges("idle", "user", "system", "idle")])
    assert (answer.accepted, answer.rejected) == (3, 1)
    assert "too_many_series" in answer.message
    states = [dict(r["attributes"])["system.cpu.state"] for r in landed(spool, "metric_points")]
    assert states == ["idle", "user", "idle"]
    (again,) = pipeline.process([gauges("user", "idle")])
    assert (again.accepted, again.rejected) == (2, 0)
    assert noted(spool) == {("shop", "rejected", "too_many_series"): 1}


def test_each_component_has_its_own_limit(spool: Spool, keys: KeyStore) -> None:
    verbs = ["GET", "PUT", "POST"]
    fields = [{"service": s, "name": verb} for s in ("a1", "b1") for verb in verbs]
    limited(spool, keys).process([spans(*fields)])
    assert [row["name"] for row in landed(spool, "spans")] == ["GET", "PUT", OTHER] * 2


def test_ten_components_that_flood_leave_every_other_a_room_of_its_own() -> None:
    values = NewValues(ValueLimits(components=2_000, attribute_names=100))
    values.begin(0)

    def kept(component: str, count: int) -> int:
        shown = [values.attribute_name(component, f"{component}.{n}") for n in range(count)]
        return count - shown.count(OTHER)

    assert [kept(f"flood{n}", 150) for n in range(10)] == [100] * 10
    assert [kept(f"quiet{n}", 2) for n in range(500)] == [2] * 500
    assert kept("flood10", 150) == 2
    assert kept("quiet0", 2) == 2


def test_span_names_routes_and_instances_have_that_room_too(spool: Spool, keys: KeyStore) -> None:
    limits = ValueLimits(components=100, instances=1, span_names=1, routes=1, series=1)
    kinds = {"name": "GET", "http.route": "/health", "service.instance.id": "1"}
    floods = [{"service": f"flood{n}", **kinds} for n in range(10)]
    Pipeline(spool, keys, limits=limits).process([spans(*floods, {"service": "quiet", **kinds})])
    (quiet,) = [row for row in landed(spool, "spans") if row["component"] == "quiet"]
    assert (quiet["name"], dict(quiet["attributes"])["http.route"]) == ("GET", "/health")
    assert quiet["component_instance"] not in {None, OTHER}
    assert noted(spool) == {}


def test_the_next_hour_has_room_for_new_ones_and_for_those_that_stay() -> None:
    values = NewValues(SMALL)
    values.begin(0)
    assert [values.component(c) for c in ("a", "b", "c", "d")] == ["a", "b", "c", OTHER]
    values.begin(HOUR_US)
    assert [values.component(c) for c in ("d", "e", "f", "g")] == ["d", "e", "f", OTHER]
    assert [values.component(c) for c in ("a", "b", "c", "d")] == ["a", "b", "c", "d"]


def test_what_stays_for_ever_does_not_grow_for_ever() -> None:
    values = NewValues(SMALL)
    kept: set[str] = set()
    for hour in range(20):
        values.begin(hour * HOUR_US)
        offered = [f"s{n}" for n in range(3 * hour + 3)]
        kept = {name for name in offered if values.component(name) != OTHER}
    assert len(kept) <= 4 * SMALL.components


def test_attribute_names_beyond_the_limit_are_other_and_the_items_are_kept(
    spool: Spool, keys: KeyStore
) -> None:
    names = ["tta.session.theme", "tta.scene.theme", "tta.player.theme", "tta.session.theme"]
    (answer,) = limited(spool, keys).process([with_names("shop", names, width=1)])
    assert (answer.accepted, answer.rejected) == (4, 0)
    assert unlisted(spool, "shop") == {"tta.session.theme": 2, "tta.scene.theme": 1, OTHER: 1}
    assert noted(spool) == {("shop", "noted", "too_many_attribute_names"): 1}


def test_attribute_names_that_were_one_too_many_are_shown_in_the_next_hour() -> None:
    values = NewValues(SMALL)
    values.begin(0)
    assert [values.attribute_name("shop", n) for n in "abc"] == ["a", "b", OTHER]
    values.begin(HOUR_US)
    assert [values.attribute_name("shop", n) for n in "cab"] == ["c", "a", "b"]


def test_fifty_thousand_attribute_names_of_one_component_fill_no_table_and_hide_nobodys(
    spool: Spool, keys: KeyStore
) -> None:
    most = ValueLimits().attribute_names
    pipeline = Pipeline(spool, keys)
    floods = [with_names("flood", [f"zzq{f}.{n}" for n in range(50_000)]) for f in range(2)]
    pipeline.process([with_names("shop", ["tta.session.theme"])])
    tracemalloc.start()
    try:
        held = [_bytes_of_names()]
        for flood in floods:
            (answer,) = pipeline.process([flood])
            assert (answer.accepted, answer.rejected) == (500, 0)
            held.append(_bytes_of_names())
    finally:
        tracemalloc.stop()
    pipeline.process([with_names("shop", ["tta.session.theme", "tta.scene.theme"])])
    of_flood = unlisted(spool, "flood")
    assert len(of_flood) == most + 1
    assert of_flood.total() == 100_000
    assert of_flood[OTHER] == 100_000 - most
    assert noted(spool) == {("flood", "noted", "too_many_attribute_names"): 100_000 - most}
    assert unlisted(spool, "shop") == {"tta.session.theme": 2, "tta.scene.theme": 1}
    assert held[1] - held[0] < 4_000_000
    assert held[2] - held[1] < 1_000_000


def _bytes_of_names() -> int:
    """What is still held of what the gate and the receiver allocated."""
    ours = [
        tracemalloc.Filter(True, f"*/{place}")
        for place in (
            "privacy/gate/gate_columns*.py",
            "privacy/gate/attribute_names.py",
            "ingestion/receivers/*.py",
        )
    ]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(ours).traces)
