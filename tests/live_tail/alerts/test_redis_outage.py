"""A Redis outage of 60 s in captured telemetry: detected, named, its dependants muted, resolved."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.trials.backtest import Body, backtest_bodies
from tests.live_tail.alerts.telemetry import START, every, redis, request, service_up, spans

REFUSED = "redis.exceptions.ConnectionError"
LONG = 300


def lives(bodies: list[Body], rules: Path = SHIPPED / "dependencies.yaml") -> list[dict[str, Any]]:
    return backtest_bodies(bodies, load_rules([rules]), timedelta(seconds=5)).alerts


def down(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [a for a in alerts if a["rule"] == "DependencyDown"]


def seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp() - START


def probe_sees_it(service: str = "redis", every_s: float = 30) -> list[Body]:
    return [
        service_up(at, service, 0.0 if is_down else 1.0) for at, is_down in every(every_s, LONG)
    ]


def health_check_spans() -> list[Body]:
    """TTA's health-check service: PING then INFO every 30 s; a failed PING ends the check."""
    found = []
    for at, is_down in every(30, LONG):
        made = (
            [redis(at, "PING", error=REFUSED)]
            if is_down
            else [redis(at, "PING"), redis(at, "INFO")]
        )
        found.append(spans(at, "health-check-service", *made))
    return found


def player_api(readiness: int = 503) -> list[Body]:
    """The API: every request uses Redis and fails with it; its readiness route says so."""
    found = []
    for at, is_down in every(2, LONG):
        error = REFUSED if is_down else ""
        made = [
            redis(at, "GET", error=error),
            request(at, "/api/v1/auth/me", 500 if is_down else 200),
        ]
        if int(at - START) % 10 == 0:
            made.append(request(at, "/api/v1/health/readiness", readiness if is_down else 200))
        found.append(spans(at, "player-experience-api", *made))
    return found


SHAPES = {
    "only the probe": probe_sees_it,
    "a probe scraped every 15 s": lambda: probe_sees_it(every_s=15),
    "tta-redis": lambda: probe_sees_it("tta-redis"),
    "redis-staging": lambda: probe_sees_it("redis-staging"),
    "tta-staging-redis-1": lambda: probe_sees_it("tta-staging-redis-1"),
    "only the health check's own spans": health_check_spans,
    "only error spans of a component": player_api,
    "all of it, readiness 500": lambda: [*probe_sees_it(), *health_check_spans(), *player_api(500)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_outage_is_detected_named_and_resolved(shape: str) -> None:
    (alert,) = down(lives(SHAPES[shape]()))
    assert alert["labels"]["dependency"] == "redis"
    assert alert["severity"] == "critical"
    assert 120 <= seconds(alert["firing_at"]) <= 155
    assert 180 <= seconds(alert["resolved_at"]) <= 300


def test_what_depends_on_redis_is_muted_but_recorded() -> None:
    alerts = lives([*probe_sees_it(), *health_check_spans(), *player_api()], SHIPPED)
    of_api = [a for a in alerts if a["labels"].get("component") == "player-experience-api"]
    assert {"ComponentNotReady", "ErrorBudgetBurnFast"} <= {a["rule"] for a in of_api}
    for alert in of_api:
        assert {"rule": "DependencyDown", "labels": {"dependency": "redis"}} in alert[
            "inhibited_by"
        ]


def test_a_component_without_redis_is_not_muted_by_it() -> None:
    other = [
        spans(at, "story-service", request(at, "/api/v1/worlds", 500))
        for at, is_down in every(1, LONG)
        if is_down
    ]
    alerts = lives([*probe_sees_it(), *other], SHIPPED)
    (burn,) = [a for a in alerts if a["rule"] == "ErrorBudgetBurnFast"]
    assert burn["labels"]["component"] == "story-service"
    assert burn["inhibited_by"] == []


def test_a_wrong_command_or_a_single_time_out_is_no_outage() -> None:
    wrong = [
        spans(at, "api", redis(at, "GET", error="redis.exceptions.ResponseError"))
        for at, _ in every(2, 200)
    ]
    once = [
        spans(
            at,
            "api",
            redis(at, "GET", error="redis.exceptions.TimeoutError" if at == START + 60 else ""),
        )
        for at, _ in every(2, 200)
    ]
    assert down(lives(wrong)) == down(lives(once)) == []


def test_an_exporter_beside_redis_is_not_redis() -> None:
    assert down(lives(probe_sees_it("redis-exporter"))) == []


def test_a_scrape_target_named_redis_that_has_no_metrics_is_no_outage() -> None:
    bodies = probe_sees_it()
    renamed = [
        Body(b.signal, b.content.replace(b"tta_service_up", b"up____________"), b.received_s)
        for b in bodies
    ]
    assert down(lives(renamed)) == []
