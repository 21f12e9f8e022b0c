"""An outage of Redis that only some signals show: metrics of either temporality, logs, or a part."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingestion.receivers.doors.http import PATHS
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.trials.backtest import Body, backtest_bodies
from live_tail.alerts.words.rule_records import Rule
from tests.conftest import CAPTURE
from tests.live_tail.alerts.telemetry import (
    START,
    counted,
    durations,
    every,
    gauge,
    log,
    redis,
    request,
    service_up,
    spans,
)
from tta_monitor.traffic.replay import protobuf_of, read_capture

RULES = load_rules([SHIPPED / "dependencies.yaml"])
REFUSED = "redis.exceptions.ConnectionError"
CHECK = "health-check-service"
API = "player-experience-api"
TEXT = "Error 111 connecting to 127.0.0.1:6379. Connection refused."


def lives(bodies: list[Body], rules: Sequence[Rule] = RULES) -> list[dict[str, Any]]:
    return backtest_bodies(bodies, rules, timedelta(seconds=10)).alerts


def down(bodies: list[Body]) -> list[dict[str, Any]]:
    return [a for a in lives(bodies) if a["rule"] == "DependencyDown"]


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() - START


def health_checks(*, is_delta: bool, every_s: float = 30) -> list[Body]:
    """`tta_health_checks_total`: a series for each status, which begins with its first check."""
    found, totals = [], {"up": 0, "down": 0}
    for at, dead in every(every_s, 300):
        status = "down" if dead else "up"
        totals[status] += 1
        now = {status: 1} if is_delta else {s: n for s, n in totals.items() if n}
        series = [({"service": "redis", "status": s}, n) for s, n in now.items()]
        found.append(
            counted(at, "tta_health_checks_total", *series, is_delta=is_delta, component=CHECK)
        )
    return found


def client_durations(*, is_delta: bool, every_s: float = 15) -> list[Body]:
    """`db.client.operation.duration` of OpenTelemetry: errors are series with `error.type`."""
    found, totals = [], {"": 0, "ConnectionError": 0}
    for at, dead in every(every_s, 300):
        error = "ConnectionError" if dead else ""
        totals[error] += 20
        now = {error: 20} if is_delta else {e: n for e, n in totals.items() if n}
        series = [
            ({"db.system.name": "redis", "db.operation.name": "GET"} | _named(e), n)
            for e, n in now.items()
        ]
        found.append(
            durations(at, "db.client.operation.duration", *series, is_delta=is_delta, component=API)
        )
    return found


def _named(error: str) -> dict[str, str]:
    return {"error.type": error} if error else {}


def logs(text: str, severity: int = 17, every_s: float = 30, **attributes: str) -> list[Body]:
    found = [log(at, API, "a request was answered", 9) for at, _ in every(10, 300)]
    for at, dead in every(every_s, 300):
        if dead:
            found.append(log(at + 1, CHECK, text, severity, **attributes))
    return sorted(found, key=lambda body: body.received_s)


def api_calls(component: str = API, until: float = 300) -> list[Body]:
    found = []
    for at, dead in every(2, until):
        error = REFUSED if dead else ""
        made = [redis(at, "GET", error=error), request(at, "/api/v1/auth/me", 500 if dead else 200)]
        found.append(spans(at, component, *made))
    return found


def silent_probes() -> list[Body]:
    """The probe says nothing at all while Redis is away: the checks hang."""
    return [service_up(at, "redis", 1.0) for at, dead in every(30, 300) if not dead]


WAYS: dict[str, Callable[[], list[Body]]] = {
    "counters of checks, cumulative": lambda: health_checks(is_delta=False),
    "counters of checks, delta": lambda: health_checks(is_delta=True),
    "durations of calls, cumulative": lambda: client_durations(is_delta=False),
    "durations of calls, delta": lambda: client_durations(is_delta=True),
    "the gauge of an exporter": lambda: [
        gauge(at, "redis_up", 0.0 if dead else 1.0, "redis-exporter", {})
        for at, dead in every(15, 300)
    ],
    "probes stop, spans go on": lambda: [*silent_probes(), *api_calls()],
    "probes stop, logs go on": lambda: [
        *silent_probes(), *logs(f"Redis health check failed for redis: {TEXT}", every_s=10)
    ],
    "probes stop, delta metrics go on": lambda: [
        *silent_probes(), *client_durations(is_delta=True)
    ],
    "only spans": api_calls,
    "only logs of the health check": lambda: logs(f"Redis health check failed for redis: {TEXT}"),
    "only logs with an exception": lambda: logs(
        "request failed", every_s=7, exception__type=REFUSED, exception__message=TEXT
    ),
    "only logs that name the host": lambda: logs(
        "Error 111 connecting to tta-redis:6379. Connection refused.", every_s=7
    ),
    "only logs, a builtin exception": lambda: logs(
        "Redis connection lost", every_s=7, exception__type="ConnectionError"
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_outage_is_one_alert_named_redis_that_ends(way: str) -> None:
    (alert,) = down(sorted(WAYS[way](), key=lambda body: body.received_s))
    assert alert["labels"] == {"dependency": "redis"} and alert["severity"] == "critical"
    assert 120 <= seconds(alert["firing_at"]) <= 165
    assert 180 <= seconds(alert["resolved_at"]) <= 290


@pytest.mark.parametrize("kind", [health_checks, client_durations])
@pytest.mark.parametrize("is_delta", [True, False])
def test_a_counter_that_was_bad_long_ago_says_nothing_now(
    kind: Callable[..., list[Body]], is_delta: bool
) -> None:
    after = [b for b in kind(is_delta=is_delta) if b.received_s > START + 181]
    assert down(after) == []


def test_who_uses_redis_is_muted_and_recorded_with_metrics_alone_as_the_witness() -> None:
    bodies = [*health_checks(is_delta=True), *api_calls()]
    found = lives(sorted(bodies, key=lambda body: body.received_s), load_rules([SHIPPED]))
    of_api = [a for a in found if a["labels"].get("component") == API]
    cause = {"rule": "DependencyDown", "labels": {"dependency": "redis"}}
    assert of_api and all(cause in a["inhibited_by"] for a in of_api)


@pytest.mark.parametrize(
    "bodies",
    [
        logs("Failed to create Redis client: generator didn't stop after athrow()", every_s=5),
        logs(f"Redis health check failed for redis: {TEXT}", severity=13, every_s=5),
        logs(f"Redis health check failed for redis-exporter: {TEXT}".replace("Redis", "The"), every_s=5),
        logs("HTTP health check failed for grafana: Max retries exceeded", every_s=5),
        [durations(at, "db.client.operation.duration",
                   ({"db.system.name": "redis", "error.type": "ResponseError"}, 9),
                   is_delta=True, component=API) for at, _ in every(15, 300)],
    ],
    ids=["another error", "a warning", "an exporter", "another service", "a wrong command"],
)  # fmt: skip
def test_what_does_not_say_that_redis_is_unreachable_names_nothing(bodies: list[Body]) -> None:
    assert down(bodies) == []


def test_in_the_real_capture_neo4j_is_down_and_nothing_else() -> None:
    # TTA ran without Neo4j: its readiness and its health checks say so; Redis answered all along.
    captured = [
        Body(PATHS[body.path], protobuf_of(body), body.recorded_at)
        for body in read_capture(CAPTURE)
    ]
    found = backtest_bodies(captured, RULES, timedelta(seconds=30)).alerts
    dependencies = {a["labels"]["dependency"] for a in found if a["rule"] == "DependencyDown"}
    assert dependencies == {"neo4j"}
    assert {a["rule"] for a in found} == {"DependencyDown", "ComponentNotReady"}
    assert all(a["inhibited_by"] for a in found if a["rule"] == "ComponentNotReady")
