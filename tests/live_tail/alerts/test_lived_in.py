"""The whole rule set as somebody lives with it: calm is silent, an outage is one page, history is none."""

from datetime import timedelta
from pathlib import Path

import pytest

from ingestion.receivers.doors.http import PATHS
from live_tail.alerts.trials.backtest import Body
from live_tail.alerts.words.life_records import State
from tests.conftest import CAPTURE
from tests.live_tail.alerts.lived import Desk, simulated
from tests.live_tail.alerts.telemetry import redis, request, service_up, spans
from tta_monitor.simulator import story
from tta_monitor.traffic import replay

START = 1_795_470_000.0
REFUSED = "redis.exceptions.ConnectionError"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def test_an_hour_of_calm_raises_nothing(home: Path) -> None:
    desk = Desk(home, START, step_s=30)
    desk.feed(simulated(START, 3_600, rate=1, is_calm=True))
    assert desk.events == [] and desk.told() == [] and desk.failed == {}


def test_the_capture_replayed_as_the_demo_does_is_history_and_raises_nothing(home: Path) -> None:
    captured = replay.shifted(replay.read_capture(CAPTURE), START)
    sent = [
        Body(PATHS[one.path], replay.protobuf_of(one), START + 1 + 8 * number / len(captured))
        for number, one in enumerate(captured)
    ]
    desk = Desk(home, START, step_s=15)
    desk.feed(sent)
    desk.feed(simulated(START + 10, 360, is_calm=True))
    assert desk.fired() == [] and desk.told() == [] and desk.failed == {}


def test_the_incident_of_the_demo_is_one_page_from_banner_to_resolution(home: Path) -> None:
    # The outage begins on a full five minutes, three minutes after the start at the soonest.
    start = 300 * (START // 300) + 110
    desk = Desk(home, start, step_s=5)
    desk.feed(simulated(start, 360))
    desk.wait(seconds=60)
    assert desk.told() == ["FIRING critical: DependencyDown", "RESOLVED critical: DependencyDown"]
    (cause,) = [a for a in desk.fired() if desk.cause(a) is None]
    assert cause.summary == "redis is down"
    at = {e.kind: e.at.timestamp() - start for e in desk.events if e.alert.rule == cause.rule}
    assert 190 <= at["fired"] <= 205
    assert 190 + story.OUTAGE_LASTS_S <= at["resolved"] <= 250 + story.OUTAGE_LASTS_S
    assert "ErrorGroupNew" not in desk.rules_fired() and sum(desk.rules_fired().values()) <= 12


def test_failed_content_pages_at_once_when_no_dependency_is_to_blame(home: Path) -> None:
    desk = Desk(home, START)
    route = "/api/v1/gameplay/message"
    desk.feed([spans(START + n, "api", request(START + n, route)) for n in range(10)])
    desk.feed([spans(START + 11, "api", request(START + 11, route, 500))])
    assert desk.told() == ["FIRING critical: ContentDeliveryError"]


def test_content_that_fails_with_a_dependency_waits_for_its_cause_and_no_longer(home: Path) -> None:
    """One failed call is no outage: then the failure itself is told, after the group's wait."""
    desk = Desk(home, START)
    failed = request(START + 11, "/api/v1/gameplay/message", 500)
    event = failed.events.add(name="exception", time_unix_nano=int((START + 11) * 1e9))
    event.attributes.add(key="exception.type").value.string_value = REFUSED
    desk.feed([spans(START + 11, "api", failed)])
    assert desk.told() == []
    desk.wait(seconds=15)
    assert desk.told() == ["FIRING critical: ContentDeliveryError"]


def test_a_minute_without_redis_is_one_page_whatever_fails_with_it(home: Path) -> None:
    desk = Desk(home, START)
    bodies = []
    for second in range(0, 240, 2):
        at, dead = START + second, 120 <= second < 180
        bodies.append(
            spans(at, "api", redis(at, "GET", error=REFUSED if dead else ""),
                  request(at, "/api/v1/auth/me", 500 if dead else 200),
                  request(at, "/readyz", 503 if dead else 200))
        )  # fmt: skip
        if second % 30 == 0:
            bodies.append(service_up(at, "redis", 0.0 if dead else 1.0))
    desk.feed(bodies)
    desk.wait(minutes=3)
    assert desk.told() == ["FIRING critical: DependencyDown", "RESOLVED critical: DependencyDown"]
    assert [a.rule for a in desk.fired() if desk.cause(a) is None] == ["DependencyDown"]
    assert all(a.state is not State.FIRING or a.muted_by for a in desk.manager.board.alerts())


def test_availability_below_the_objective_pages_and_escalates(home: Path) -> None:
    desk = Desk(home, START, step_s=15)
    status = [500 if n % 10 == 0 else 200 for n in range(900)]
    desk.feed(spans(START + n, "api", request(START + n, "/x", s)) for n, s in enumerate(status))
    titles = desk.told()
    assert titles[0] == "FIRING critical: ErrorBudgetBurnFast"
    assert any(title.endswith("level 1") for title in titles)
    # What burns too slowly for the fast alert is told by the objective itself.
    slow = Desk(home / "slow", START, step_s=15)
    status = [500 if n % 40 == 0 else 200 for n in range(900)]
    slow.feed(spans(START + n, "api", request(START + n, "/x", s)) for n, s in enumerate(status))
    assert slow.told()[0] == "FIRING critical: AvailabilityBelowObjective"
    assert any("level 1" in title for title in slow.told())
    assert slow.now.timestamp() - START > timedelta(minutes=14).total_seconds()
