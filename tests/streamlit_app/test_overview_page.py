"""Overview: the verdict first, and an empty home that is greeted until its first request."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from privacy.access.access_policy import Role
from streamlit_app.components.overview import first_run, verdict
from streamlit_app.readings import source
from streamlit_app.readings.arriving import arrivals
from tests.live_answers import LiveAnswers
from tests.pages import links, tables, tiles, title, words
from tests.published import REQUESTS, publish
from tests.streamlit_app.test_pages import fresh_caches, page  # noqa: F401

NOW = datetime.now(UTC)
COMPONENT = {
    "component": "api", "version": "1.0", "environment": "test", "instance_count": 1,
    "first_seen_at": NOW.isoformat(), "last_seen_at": NOW.isoformat(), "state": "ok", "state_reason": "",
    "request_per_s": 2.0, "error_pct": 0.5, "p95_ms": 120.0, "requests_by_minute": [0, 3, 5],
}  # fmt: skip
OURS = {**COMPONENT, "component": "tta-monitor-host", "requests_by_minute": [0, 0, 0]}
PROBED = {**COMPONENT, "component": "redis", "requests_by_minute": None}
RATES = {
    "request_per_s": 2.0, "error_pct": 0.5, "p95_ms": 120.0, "ai_calls_per_min": None,
    "output_tokens_per_s": None, "previous_request_per_s": 1.0,
}  # fmt: skip
ALERT = {
    "id": "a1", "rule": "RedisDown", "severity": "critical", "state": "firing", "muted_by": [],
    "summary": "redis refuses connections", "effect": "", "labels": {}, "runbook": [], "cause": None,
    "fired_at": NOW.isoformat(), "started_at": NOW.isoformat(), "next": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(settings: Settings) -> Iterator[Settings]:
    arrivals.forget()
    yield settings
    arrivals.forget()


def opened(
    monkeypatch: pytest.MonkeyPatch, live: LiveAnswers, role: Role = Role.ADMIN, **params: str
) -> AppTest:
    monkeypatch.setattr(source, "client", live)
    shown = page("overview", role)
    for name, value in params.items():
        shown.query_params[name] = value
    shown.run()
    assert not shown.exception
    return shown


def full(**answers: Any) -> LiveAnswers:
    return LiveAnswers({"components": [COMPONENT, PROBED], "summary": [RATES], **answers})


def test_a_home_with_data_says_its_verdict_before_any_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = opened(monkeypatch, full())
    told = words(shown)
    assert told.index("Everything is all right") < told.index("Requests")
    assert tiles(shown)["Requests"] == "2 /s" and tiles(shown)["AI calls"] == "—"
    assert [row["Component"] for row in tables(shown)[0]] == ["api", "redis"]
    assert links(shown)["AI calls"].startswith("/ai_models")
    assert "Nothing has arrived yet" not in told


def test_an_empty_home_is_greeted_with_three_steps_and_its_own_addresses(
    monkeypatch: pytest.MonkeyPatch, home: Settings
) -> None:
    shown = opened(monkeypatch, LiveAnswers({"components": [OURS]}))
    told, code = words(shown), " ".join(c.value for c in shown.code)
    assert "Nothing has arrived yet" in told and told.count("waiting") == 3
    assert f"http://127.0.0.1:{home.receiver.http_port}" in code and "player-api@127.0.0.1" in code
    assert "log_files" in code and "prometheus_config" in code and "up --demo" in code
    assert not tiles(shown)


def test_steps_tick_themselves_off(monkeypatch: pytest.MonkeyPatch) -> None:
    team = {"name": "team", "type": "webhook"}
    heard = LiveAnswers({"components": [OURS, PROBED]}, alerts={"channels": [team]})
    shown = opened(monkeypatch, heard)
    told = words(shown)
    assert "done: redis" in told and "done: team" in told and told.count("waiting") == 1
    assert "Nothing has arrived yet" not in words(opened(monkeypatch, full()))


def test_a_home_whose_data_are_all_published_is_not_empty(
    monkeypatch: pytest.MonkeyPatch, home: Settings
) -> None:
    component = "SELECT 'api' AS component, TIMESTAMP '2026-03-01' AS last_seen_at"
    publish(home, "operations", {"dim_components": component, "fct_requests_minutely": REQUESTS})
    assert "Nothing has arrived yet" not in words(opened(monkeypatch, LiveAnswers()))


def test_a_live_tail_that_is_away_is_no_empty_home(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = opened(monkeypatch, LiveAnswers(is_down=True))
    assert "Nothing has arrived yet" not in words(shown) and "does not answer" in words(shown)


def test_of_partial_data_what_is_there_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    latency = {
        "bucket_at": NOW.isoformat(), "request_count": 3, "error_count": 0, "p50_ms": 1.0, "p95_ms": 2.0,
        "p99_ms": 3.0,
    }  # fmt: skip
    shown = opened(monkeypatch, full(latency=[latency]))
    assert "No requests in this range" in words(shown) and tiles(shown)["p95 latency"] == "120 ms"


def test_old_data_say_how_old_they_are(monkeypatch: pytest.MonkeyPatch, home: Settings) -> None:
    publish(
        home, "operations", {"meta_builds": "SELECT TIMESTAMP '2026-03-01 12:00:00' AS built_at"}
    )
    assert " d" in words(opened(monkeypatch, full())).partition("marts ")[2][:8]


def test_a_role_that_may_not_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = opened(monkeypatch, full(), Role.DESIGNER)
    assert title(shown) == "" and "your role may not use page overview" in words(shown).lower()


@pytest.mark.parametrize(
    ("states", "alerts", "error_pct", "state", "told"),
    [
        (["ok", "ok"], [], 0.5, "ok", "Everything is all right"),
        (["ok", "down"], [ALERT], 0.5, "down", "c1 is down"),
        (["ok"], [ALERT], 0.5, "critical", "redis refuses connections"),
        (["ok"], [{**ALERT, "muted_by": ["s1"]}], 0.5, "ok", "Everything is all right"),
        (["degraded", "degraded", "ok"], [], 0.5, "degraded", "c0, c1 are degraded"),
        (["ok"], [], 8.2, "degraded", "8.2 % of requests fail"),
        (["ok"], [{**ALERT, "severity": "warning"}], None, "warning", "1 warning to look at"),
        (["unknown"], [], None, "unknown", "Nothing is heard right now"),
        (["down"] * 5, [], None, "down", "c0, c1, c2 and 2 more are down"),
    ],
)
def test_the_verdict_is_the_worst_of_what_is_known(
    states: list[str], alerts: list[Any], error_pct: float | None, state: str, told: str
) -> None:
    rows = pd.DataFrame({"component": [f"c{n}" for n in range(len(states))], "state": states})
    found = verdict.judge(rows, alerts, {"error_pct": error_pct})
    assert (found.state, found.words) == (state, told)
    assert told not in found.rest


def test_snippets_name_an_address_that_can_be_reached(settings: Settings) -> None:
    everywhere = settings.model_copy(deep=True)
    everywhere.receiver.host = "0.0.0.0"
    assert first_run._endpoint(everywhere) == f"http://127.0.0.1:{settings.receiver.http_port}"
    assert list(first_run.snippets("http://h:1", settings)) == [
        "Python", "JavaScript", "Sentry", "Logs", "Prometheus",
    ]  # fmt: skip
