"""The fast lane: what fails is judged as it is committed, once, and agrees with the rounds."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.reading.selecting import Select
from live_tail.alerts.rules.evaluate import readings_of
from live_tail.alerts.rules.failing import failing
from live_tail.alerts.rules.fast_lane import FastLane, is_for_fast_lane
from live_tail.alerts.rules.rounds import Rounds
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.rules.rule_spec import Threshold
from live_tail.alerts.trials.promtest_input import landed
from live_tail.alerts.words.rule_records import Reading, Rule, Severity
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.telemetry import request, span, spans
from tests.live_tail.test_live_tail import catch_up

RULES = load_rules([SHIPPED])
CHAT = "/api/v1/chat"


class Lane:
    """A fast lane over a spool, and what it found."""

    def __init__(
        self, settings: Settings, spool: Spool, pipeline: Pipeline, rules: Sequence[Rule] = RULES
    ) -> None:
        self.found: list[Reading] = []
        self._pipeline, self._settings, self._spool = pipeline, settings, spool
        self.rules = rules
        self.restart()

    def restart(self) -> None:
        self.lane = FastLane(
            self._spool, self._settings.home, lambda: self.rules, self.found.extend,
            monotonic=iter(range(0, 1_000_000, 60)).__next__,
        )  # fmt: skip

    def send(self, *made: Any, component: str = "api") -> None:
        body = spans(0, component, *made)
        self._pipeline.process([Incoming("spans", body.content)])

    def step(self) -> list[dict[str, str]]:
        self.found.clear()
        self.lane.step()
        return [dict(r.labels) for r in self.found]


@pytest.fixture
def lane(settings: Settings, spool: Spool, pipeline: Pipeline) -> Lane:
    return Lane(settings, spool, pipeline)


def now_s() -> float:
    return datetime.now(UTC).timestamp()


def test_a_failed_answer_is_found_in_the_step_after_its_commit(lane: Lane) -> None:
    lane.send(request(now_s(), CHAT, 500), request(now_s(), CHAT, 200))
    assert lane.step() == [{"component": "api", "exception_type": "", "route": CHAT}]
    assert lane.step() == []


def test_what_is_no_content_or_no_failure_is_not_found(lane: Lane) -> None:
    lane.send(request(now_s(), "/api/v1/auth/me", 500), request(now_s(), CHAT, 404))
    assert lane.step() == []


def test_a_call_that_timed_out_after_minutes_is_found_when_it_ends(lane: Lane) -> None:
    lane.send(
        span(now_s() - 120, f"POST {CHAT}", error="TimeoutError", ms=120_000, http__method="POST",
             http__route=CHAT)
    )  # fmt: skip
    (labels,) = lane.step()
    assert (labels["route"], labels["exception_type"]) == (CHAT, "TimeoutError")


@pytest.mark.parametrize("skew_s", [-200, 200])
def test_a_sender_whose_clock_is_wrong_is_heard(lane: Lane, skew_s: float) -> None:
    lane.send(request(now_s() + skew_s, CHAT, 500))
    assert len(lane.step()) == 1


def test_a_failure_that_was_held_back_for_an_hour_is_history(lane: Lane) -> None:
    lane.send(request(now_s() - 3_600, CHAT, 500))
    assert lane.step() == []


def test_a_span_that_is_sent_again_in_another_batch_is_no_second_failure(lane: Lane) -> None:
    made, other = request(now_s(), CHAT, 500), request(now_s(), "/x", 200)
    lane.send(made)
    assert len(lane.step()) == 1
    lane.send(made, other)
    assert lane.step() == []
    lane.send(request(now_s(), CHAT, 500))
    assert len(lane.step()) == 1


def test_without_a_route_attribute_the_name_tells_the_route(lane: Lane) -> None:
    lane.send(span(now_s(), f"POST {CHAT}/send", error="ValueError"))
    assert len(lane.step()) == 1


def test_a_log_record_of_content_is_found(lane: Lane, pipeline: Pipeline) -> None:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    body = ExportLogsServiceRequest()
    resource = body.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "narrator"
    record = resource.scope_logs.add().log_records.add(
        severity_number=17, time_unix_nano=int(now_s() * 1e9)
    )
    for key, value in {"http.route": CHAT, "exception.type": "KeyError"}.items():
        record.attributes.add(key=key).value.string_value = value
    pipeline.process([Incoming("logs", body.SerializeToString())])
    assert lane.step() == [{"component": "narrator", "exception_type": "KeyError", "route": CHAT}]


def test_after_a_restart_what_nobody_saw_is_judged_and_the_rest_is_not(lane: Lane) -> None:
    lane.send(request(now_s(), CHAT, 500))
    lane.restart()
    assert lane.step() == []  # from before the first start: the rounds see it
    lane.send(request(now_s(), CHAT, 500))
    assert len(lane.step()) == 1
    lane.send(request(now_s(), "/api/v1/story", 500))
    lane.restart()
    assert [labels["route"] for labels in lane.step()] == ["/api/v1/story"]
    lane.restart()
    assert lane.step() == []


def test_a_batch_whose_key_is_gone_is_counted_and_the_next_is_read(
    lane: Lane, spool: Spool, keys: KeyStore
) -> None:
    lane.send(request(now_s(), CHAT, 500))
    keys.destroy("spool", next(iter(spool.read(0))).day)
    assert lane.step() == []
    assert lane.lane.unreadable == 1


def test_a_fault_in_one_step_loses_nothing(
    lane: Lane, monkeypatch: pytest.MonkeyPatch, spool: Spool
) -> None:
    def fails(_: Sequence[Reading]) -> None:
        raise OSError

    lane.send(request(now_s(), CHAT, 500))
    monkeypatch.setattr(lane.lane, "_found", fails)
    with pytest.raises(OSError):
        lane.step()
    assert [r.rule for r in lane.lane.ahead(0)] == ["ContentDeliveryError"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["OK", "UNSET", "ERROR"]),
            st.lists(
                st.tuples(
                    st.sampled_from(["http.status_code", "http.response.status_code", "other"]),
                    st.sampled_from(["200", "499", "500", "503.0", "5000", "x"]),
                ),
                max_size=3,
                unique_by=lambda pair: pair[0],
            ),
        ),
        max_size=12,
    )
)
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_only_errors_and_server_errors_are_looked_at(rows: list[Any]) -> None:
    made = [
        {"trace_id": bytes(16), "span_id": bytes([n] * 8), "name": str(n), "kind": "SERVER",
         "start_at": datetime(2026, 1, 1), "duration_ns": 1, "status_code": status,
         "component": "api", "attributes": attributes}
        for n, (status, attributes) in enumerate(rows)
    ]  # fmt: skip
    expected = [
        str(n)
        for n, (status, attributes) in enumerate(rows)
        if status == "ERROR" or any(k != "other" and v in {"500", "503.0"} for k, v in attributes)
    ]
    assert failing("spans", landed("spans", made))["name"].to_pylist() == expected


def test_a_server_error_without_a_span_status_is_found(lane: Lane) -> None:
    made = request(now_s(), CHAT, 200)
    for attribute in made.attributes:
        if attribute.key == "http.status_code":
            attribute.value.int_value = 502
    lane.send(request(now_s(), "/x", 200), made, request(now_s(), "/y", 200))
    assert [labels["route"] for labels in lane.step()] == [CHAT]


def fast(name: str = "Fast", **when: Any) -> Rule:
    spec = {"value": {"fact": "failures", "over": "30s", "value": "count"}, "compare": ">= 1"}
    return Rule(
        name, "threshold", {"when": Threshold.model_validate({**spec, **when})},
        Severity.CRITICAL, "s", is_fast=True, every=timedelta(0),
    )  # fmt: skip


def test_only_rules_on_failures_that_need_no_waiting_take_the_fast_lane() -> None:
    from dataclasses import replace

    other = {"fact": "requests", "value": "count"}
    own = {"fact": "failures", "value": "count"}
    assert is_for_fast_lane(fast())
    assert is_for_fast_lane(fast(value={"op": "add", "left": own, "right": 1}))
    assert is_for_fast_lane(fast(value={"aggregate": "sum", "of": own}))
    assert not is_for_fast_lane(fast(value={"op": "divide", "left": own, "right": other}))
    assert not is_for_fast_lane(replace(fast(), is_fast=False))
    assert not is_for_fast_lane(replace(fast(), hold_for=timedelta(seconds=1)))
    assert not is_for_fast_lane(replace(fast(), of_last=(2, 3)))
    assert [r.name for r in RULES if is_for_fast_lane(r)] == ["ContentDeliveryError"]


class Desk:
    """Manager, window and fast lane over one spool, as in the live tail, with a clock of its own."""

    def __init__(
        self, settings: Settings, keys: KeyStore, spool: Spool, pipeline: Pipeline, rule: Rule
    ) -> None:
        self.now = datetime.now(UTC)
        self.store = Store(settings.home, keys)
        self.manager = Manager(self.store, WatchedPolicy(settings.home), clock=lambda: self.now)
        self.window = Window(minutes=60, max_errors=10, clock=lambda: self.now)
        self.rounds = Rounds(Sources(self.window), [rule])
        self.rules = {rule.name: rule}
        self.lane = FastLane(
            spool, settings.home, lambda: [rule], self.manager.hasten,
            failed=lambda facts: self.rounds.hasten(self.now, facts),
        )  # fmt: skip
        self.spool, self.pipeline, self.live_seq = spool, pipeline, 0

    def fail(self) -> None:
        body = spans(0, "api", request(self.now.timestamp(), CHAT, 500))
        self.pipeline.process([Incoming("spans", body.content)])

    def follow(self) -> None:
        self.live_seq = catch_up(self.spool, self.window).live_seq

    def round(self, seconds: float = 0.5) -> list[str]:
        from dataclasses import replace

        self.now += timedelta(seconds=seconds)
        if self.lane.is_passed(self.live_seq):
            self.rounds.hasten(self.now)
        made = self.rounds.make(self.now)
        made = replace(made, readings=(*made.readings, *self.lane.ahead(self.live_seq)))
        return [e.kind for e in self.manager.take(made, self.rules)]


@pytest.fixture
def desk(settings: Settings, keys: KeyStore, spool: Spool, pipeline: Pipeline) -> Desk:
    made = Desk(settings, keys, spool, pipeline, fast())
    made.round()
    return made


def test_the_message_is_in_the_outbox_before_the_window_knows(desk: Desk) -> None:
    desk.fail()
    desk.lane.step()
    (alert,) = desk.manager.board.alerts()
    assert alert.state.value == "firing"
    assert len(desk.store.outbox.deliveries(10)) >= 1


def test_rounds_neither_end_nor_repeat_what_the_window_learns_later(desk: Desk) -> None:
    desk.fail()
    desk.lane.step()
    assert [desk.round(), desk.round()] == [[], []]
    desk.follow()
    assert [desk.round(), desk.round()] == [[], []]
    assert desk.round(60) == ["resolved"]
    assert desk.lane.ahead(desk.live_seq) == ()


def test_what_somebody_resolved_is_not_opened_by_older_failures(desk: Desk) -> None:
    desk.fail()
    desk.lane.step()
    desk.manager.resolve(desk.manager.board.alerts()[0].id, "anna")
    desk.fail()
    desk.lane.step()
    assert desk.manager.board.alerts() == []


def test_before_the_first_round_nothing_is_known_and_nothing_breaks(
    settings: Settings, keys: KeyStore
) -> None:
    manager = Manager(Store(settings.home, keys), WatchedPolicy(settings.home))
    assert manager.hasten([Reading("Fast", (), 1.0)]) == []


def test_fast_lane_and_window_count_the_same_failures(
    settings: Settings, spool: Spool, pipeline: Pipeline
) -> None:
    chance = random.Random(5)
    each = Select.model_validate({"fact": "failures", "over": "10m", "value": "count"})
    rule = fast(value=each)
    lane = Lane(settings, spool, pipeline, [rule])
    routes = [CHAT, "/api/v1/auth/me", "/api/v1/health/readiness", "/health", "/story/1"]
    sent = []
    for _ in range(20):
        made = [
            request(
                now_s() - chance.choice([0, 60, 400]),
                chance.choice(routes),
                chance.choice([200, 404, 500, 503]),
            )
            for _ in range(chance.randrange(1, 8))
        ]
        sent += made
        lane.send(*made, *chance.sample(sent, min(3, len(sent))))
        lane.lane.step()
    window = Window(minutes=60, max_errors=10, clock=lambda: datetime.now(UTC))
    catch_up(spool, window)
    at = (datetime.now(UTC) + timedelta(seconds=1)).replace(tzinfo=None)
    by_window = {r.labels: r.value for r in readings_of(rule, Sources(window), at)}
    by_lane = {r.labels: r.value for r in lane.lane._readings([rule], at).values()}
    assert by_window == by_lane and len(by_window) >= 3
