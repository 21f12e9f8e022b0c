"""One outage of Redis told in many ways: every way is detected, named, muted and resolved once."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.trials.backtest import Body, backtest_bodies
from tests.live_tail.alerts.telemetry import START, every, request, service_up, span, spans

REFUSED = "redis.exceptions.ConnectionError"
RULES = load_rules([SHIPPED / "dependencies.yaml"])
MESSAGE = "Error 111 connecting to redis:6379. Connection refused."


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() - START


def lives(bodies: list[Body], step_s: float = 10) -> list[dict[str, Any]]:
    return backtest_bodies(bodies, RULES, timedelta(seconds=step_s)).alerts


def down(bodies: list[Body], step_s: float = 10) -> list[dict[str, Any]]:
    return [a for a in lives(bodies, step_s) if a["rule"] == "DependencyDown"]


def call(
    at: float, command: str = "GET", error: str = "", *, old: bool = True, ms: float = 1
) -> Span:
    """A client span as the instrumentation of redis-py makes it, with both generations of names."""
    names: dict[str, str | int] = (
        {"db__system": "redis", "net__peer__name": "redis", "net__peer__port": 6379,
         "db__statement": f"{command} ?", "net__transport": "ip_tcp"}
        if old
        else {"db__system__name": "redis", "server__address": "redis", "server__port": 6379,
              "db__operation__name": command}
    )  # fmt: skip
    if error and not old:
        names["error__type"] = error
    made = span(at, command, Span.SPAN_KIND_CLIENT, error=error, ms=ms, **names)
    if error:
        made.status.message = f"ConnectionError: {MESSAGE}"
        for key, text in {"exception.message": MESSAGE, "exception.escaped": "False"}.items():
            made.events[0].attributes.add(key=key).value.string_value = text
    return made


def calls(
    every_s: float,
    until: float = 260,
    *,
    error: str = REFUSED,
    at_call: Callable[[int, bool], bool] = lambda _, is_down: is_down,
    **more: Any,
) -> list[Body]:
    """A component that calls Redis every so often; `at_call(n, is_down)` says which calls fail."""
    return [
        spans(at, "player-experience", call(at, error=error if at_call(n, dead) else "", **more))
        for n, (at, dead) in enumerate(every(every_s, until))
    ]


def timed_out() -> list[Body]:
    """Each call hangs for ten seconds before it fails, and is exported when it ends."""
    made = calls(5, error="redis.exceptions.TimeoutError", ms=1)
    for number, body in enumerate(made):
        exported = ExportTraceServiceRequest.FromString(body.content)
        one = exported.resource_spans[0].scope_spans[0].spans[0]
        if one.status.code:
            one.end_time_unix_nano += 10_000_000_000
            made[number] = Body("spans", exported.SerializeToString(), body.received_s + 10)
    return made


def unnamed_error() -> list[Body]:
    """Status ERROR alone: no exception, no error.type."""
    return [
        spans(at, "api", span(at, "GET", Span.SPAN_KIND_CLIENT, db__system="redis"))
        if not dead
        else spans(at, "api", _failed(at))
        for at, dead in every(5, 260)
    ]


def _failed(at: float) -> Span:
    made = span(at, "GET", Span.SPAN_KIND_CLIENT, db__system="redis")
    made.status.code = 2
    return made


def of_requests_only() -> list[Body]:
    """No client spans: the server spans carry Redis's exception."""
    found = []
    for at, dead in every(3, 260):
        one = request(at, "/api/v1/auth/me", 500 if dead else 200)
        if dead:
            event = one.events.add(name="exception", time_unix_nano=int(at * 1e9))
            event.attributes.add(key="exception.type").value.string_value = REFUSED
        found.append(spans(at, "api", one))
    return found


WAYS: dict[str, Callable[[], list[Body]]] = {
    "old names": lambda: calls(2),
    "new names": lambda: calls(2, old=False),
    "a module-less ConnectionError": lambda: calls(2, error="ConnectionError"),
    "ConnectionRefusedError": lambda: calls(2, error="ConnectionRefusedError"),
    "time-outs of ten seconds": timed_out,
    "an error without a name": unnamed_error,
    "one request in five seconds": lambda: calls(5),
    "one request in twenty seconds": lambda: calls(20),
    "every third call succeeds": lambda: calls(
        0.5, at_call=lambda n, dead: dead and n % 3 != 0
    ),
    "only the exceptions of requests": of_requests_only,
    "a health-check route per dependency": lambda: [
        spans(at, "api", request(at, "/health/redis", 503 if dead else 200))
        for at, dead in every(10, 260)
    ],
    "a host name of compose": lambda: [
        service_up(at, "tta-prototype-redis-1", 0.0 if dead else 1.0) for at, dead in every(15, 260)
    ],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_outage_is_one_alert_named_redis_that_ends(way: str) -> None:
    (alert,) = down(WAYS[way]())
    assert alert["labels"] == {"dependency": "redis"}
    assert 120 <= seconds(alert["firing_at"]) <= 165
    assert 180 <= seconds(alert["resolved_at"]) <= 290


def test_a_capture_shorter_than_any_window_is_enough() -> None:
    bodies = [b for b in calls(2) if START + 110 <= b.received_s <= START + 200]
    (alert,) = down(bodies)
    assert alert["resolved_at"]


def test_a_capture_that_ends_during_the_outage_says_so() -> None:
    (alert,) = down([b for b in calls(2) if b.received_s <= START + 150])
    assert alert["labels"] == {"dependency": "redis"}


def moved(bodies: list[Body], by_s: float, received_by_s: float) -> list[Body]:
    found = []
    for body in bodies:
        exported = ExportTraceServiceRequest.FromString(body.content)
        for one in exported.resource_spans[0].scope_spans[0].spans:
            one.start_time_unix_nano += int(by_s * 1e9)
            one.end_time_unix_nano += int(by_s * 1e9)
        content = exported.SerializeToString()
        found.append(Body("spans", content, body.received_s + received_by_s))
    return found


@pytest.mark.parametrize("days", [-200, 30])
def test_when_it_was_captured_does_not_matter(days: float) -> None:
    (alert,) = down(moved(calls(2), days * 86_400, days * 86_400))
    assert 120 <= seconds(alert["firing_at"]) - days * 86_400 <= 165


@pytest.mark.parametrize("late_s", [45, 3 * 86_400, -7_200])
def test_a_capture_that_was_received_long_after_or_before_its_times_is_judged_at_them(
    late_s: float,
) -> None:
    (alert,) = down(moved(calls(2), 0, late_s))
    assert 60 <= seconds(alert["resolved_at"]) - seconds(alert["firing_at"]) <= 150


def test_one_sender_whose_clock_is_a_minute_off_hides_nothing() -> None:
    other = [
        spans(at, "story", call(at, error=REFUSED if dead else "")) for at, dead in every(3, 260)
    ]
    (alert,) = down([*calls(3), *moved(other, -60, 0)])
    assert alert["labels"] == {"dependency": "redis"} and alert["resolved_at"]


@pytest.mark.parametrize("step_s", [5, 30])
def test_the_width_of_a_step_does_not_matter(step_s: float) -> None:
    assert len(down(calls(2), step_s)) == 1


def quiet() -> Iterator[list[Body]]:
    """What is no outage of Redis."""
    yield calls(2, at_call=lambda *_: False)
    yield calls(2, error="redis.exceptions.ResponseError")
    yield calls(1, at_call=lambda n, _: n % 97 == 0)
    yield [
        spans(at, "api", span(at, "GET", Span.SPAN_KIND_CLIENT, error="requests.exceptions.ConnectionError",
                              http__method="GET", http__url="http://127.0.0.1:13001/api/health"))
        for at, _ in every(10, 260)
    ]  # fmt: skip
    yield [spans(at, "api", request(at, "/api/v1/auth/me", 500)) for at, _ in every(2, 260)]


@pytest.mark.parametrize("bodies", list(quiet()))
def test_what_is_no_outage_names_no_dependency(bodies: list[Body]) -> None:
    assert down(bodies) == []
