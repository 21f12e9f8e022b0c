"""`alerts …` over the real API: what is printed, exit codes, one sentence when it cannot be done."""

import json
import re
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner

from ingestion.settings import Settings
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.http.alerts_api import routes
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.outbox import DELIVERED
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.http.client import LiveClient
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.support import reading, round_at, rule
from tta_monitor.cli import app
from tta_monitor.console.problems import Problem

_TO_THE_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ:?")


@pytest.fixture
def store(settings: Settings, keys: KeyStore) -> Store:
    return Store(settings.home, keys)


@pytest.fixture(autouse=True)
def manager(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> Manager:
    made = Manager(store, WatchedPolicy(settings.home))
    live = TestClient(Starlette(routes=routes(made)))

    def exchange(self: LiveClient, method: str, path: str, body: object, headers: dict) -> tuple:
        answer = live.request(method, path, content=body, headers=headers)
        return answer.status_code, answer.content

    monkeypatch.setattr(LiveClient, "exchange", exchange)
    monkeypatch.setattr(LiveClient, "of", classmethod(lambda cls, _: LiveClient("http://live")))
    return made


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["alerts", *arguments], catch_exceptions=True)
    if isinstance(done.exception, Problem):
        assert done.exception.code == code
        return str(done.exception)
    assert done.exit_code == code, done.output
    return done.output


def fire(manager: Manager) -> str:
    rules = {"Broken": rule(effect="Nobody can play.", runbook=("Restart it",))}
    manager.take(round_at(datetime.now(UTC), reading(component="api")), rules)
    return manager.board.alerts()[0].id


def test_nothing_fires_then_something_does_and_the_exit_code_says_so(manager: Manager) -> None:
    assert "nothing fires" in run("list")
    name = fire(manager)
    assert name in run("list", code=1) and "component=api" in run("list", code=1)
    assert json.loads(run("list", 'severity="warning"', "--json"))["alerts"] == []


def test_what_could_not_be_judged_is_said(manager: Manager) -> None:
    why = "not enough history: 1 of 1 series have fewer than 3 weeks of this hour"
    manager.take(round_at(datetime.now(UTC), unjudged={"Odd": why}), {})
    assert f"not judged: Odd: {why}" in run("list")
    assert json.loads(run("list", "--json"))["unjudged"] == {"Odd": why}


def test_an_alert_is_shown_acknowledged_and_resolved(manager: Manager) -> None:
    name = fire(manager)
    shown = run("show", name[:6])
    times = re.findall(r"\d{4}-\d\d-\d\dT\S+", shown + run("list", code=1))
    assert len(times) >= 4 and all(_TO_THE_SECOND.fullmatch(at) for at in times), times
    for words in ("Nobody can play.", "1. Restart it", "Next:", "fired"):
        assert words in shown
    assert "acknowledged Broken" in run("ack", name, "--note", "looking")
    assert "acknowledged by" in run("list")
    assert json.loads(run("show", name, "--json"))["note"] == "looking"
    assert "resolved Broken" in run("resolve", name)
    assert "alerts list" in run("ack", name, code=1)


def test_a_silence_is_previewed_made_and_ended(manager: Manager) -> None:
    fire(manager)
    assert "matches 1 now" in run("silence", 'component="api"', "--preview")
    made = run("silence", 'component="api"', "--for", "2h", "--comment", "deployment")
    assert "matches 1 now" in made
    assert "muted by" in run("list")
    assert "ended" in run("unsilence", made.split()[1])
    assert "no duration" in run("silence", 'component="api"', "--for", "soon", code=1)


def test_a_channel_test_waits_for_its_outcome(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [(DELIVERED, ""), ("waiting", "HTTP 500")]

    def notifier(_: float) -> None:
        entry = store.outbox.due("console", int(4e15))
        if entry is not None:
            state, error = outcomes.pop(0)
            store.outbox.mark(entry.key, state, error=error)

    monkeypatch.setattr("tta_monitor.commands.alerts_life.time.sleep", notifier)
    assert "delivered" in run("channel-test", "console")
    assert "HTTP 500" in run("channel-test", "console", code=1)
    assert "no channel is called 'pigeon'" in run("channel-test", "pigeon", code=1)
