"""Alerts in the marts: episodes and weekly figures agree with those of the live tail."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from dagster_project.process.build import run_build
from ingestion.lake.duck import open_published
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from live_tail.alerts.desk.facts_out import FactsOut
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.resolution import weekly
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.words.rule_records import Severity
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.support import Clock, reading, round_at, rule

# Two builds, one of them over what the other left.
pytestmark = pytest.mark.timeout(900)
_RULES = {
    "Broken": rule(is_fast=True),
    "Slow": rule("Slow", severity=Severity.WARNING, hold_for=timedelta(seconds=90)),
}


class Home:
    """A home whose alerts live over two hours and two builds."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.keys = KeyStore.open(folder, create=True)
        self.settings: Settings = load_settings(folder)
        now = datetime.now(UTC)
        # A Wednesday of the last seven days, so that the week does not end on the way.
        day = now - timedelta(days=(now.weekday() - 2) % 7 or 7)
        self.clock = Clock(day.replace(hour=10, minute=50, second=7))
        self.store = Store(folder, self.keys)
        policy = WatchedPolicy(self.settings.home)
        self.manager = Manager(self.store, policy, clock=self.clock)
        pipeline = Pipeline(Spool(self.settings.spool_path, self.keys), self.keys)
        self._out = FactsOut(
            self.store.tables, lambda body: pipeline.process([Incoming("logs", body)]) and None
        )

    def pass_time(self, *readings, seconds: float = 60) -> None:
        self.manager.take(round_at(self.clock.forward(seconds=seconds), *readings), _RULES)

    def build(self) -> None:
        while self._out.step():
            pass
        report = run_build(self.settings)
        assert report.ok, report


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("alerts") / "home")
    broken, slow = reading(component="api"), reading("Slow", component="story")
    home.pass_time(broken, slow)
    home.pass_time(broken, slow)
    home.manager.acknowledge(home.manager.board.alerts()[0].id, "anna")
    home.pass_time(broken, slow)
    home.build()
    home.pass_time(broken, slow, seconds=900)  # the next hour
    home.pass_time()
    home.pass_time(broken)
    home.manager.resolve(home.manager.board.alerts()[0].id, "ben")
    home.pass_time()
    home.pass_time(broken)
    home.build()
    return home


def test_an_episode_that_spans_builds_is_one_row_with_all_its_instants(lived: Home) -> None:
    rows = open_published(lived.settings, "operations").execute(
        "SELECT rule, component, severity, is_reopened, acknowledged_at, resolved_at, is_acted_on,"
        " notification_count, started_at, fired_at FROM fct_alert_episodes ORDER BY rule, fired_at"
    ).fetchall()  # fmt: skip
    assert [r[:4] for r in rows] == [
        ("Broken", "api", "critical", False),
        ("Broken", "api", "critical", True),
        ("Broken", "api", "critical", True),
        ("Slow", "story", "warning", False),
    ]
    first, second, third, slow = rows
    assert first[4] and first[5] and first[4] < first[5] and first[6]
    assert second[4] is None and second[5] and second[6]
    assert third[5] is None and not third[6]
    assert (slow[9] - slow[8]).total_seconds() == pytest.approx(120, abs=61)
    assert not slow[6] and first[7] >= 1


def test_the_week_in_the_mart_is_the_week_of_the_live_tail(lived: Home) -> None:
    live = weekly([a for a in lived.manager.board.history(100)])
    cursor = open_published(lived.settings, "operations").execute(
        "SELECT week_on, rule, component, severity, fired_count, acted_on_count, noise_pct,"
        " reopened_count, mtta_s, mttr_s FROM fct_alert_resolution_weekly"
        " WHERE rule = 'Slow' ORDER BY ALL"
    )
    (found,) = cursor.fetchall()
    (row,) = [w for w in live if w["rule"] == "Slow"]
    assert found[0].isoformat() == row["week"]
    assert found[1:8] == (
        row["rule"], row["component"], row["severity"], row["fired"], row["acted_on"],
        row["noise_pct"], row["reopened"],
    )  # fmt: skip
    assert found[8] is None and row["mtta_s"] is None
    assert found[9] == pytest.approx(row["mttr_s"], abs=1e-3)


def test_mean_times_and_noise_are_of_all_episodes_of_the_week(lived: Home) -> None:
    fires = open_published(lived.settings, "operations").execute(
        "SELECT fired_at FROM fct_alert_episodes WHERE rule = 'Broken' ORDER BY 1"
    ).fetchall()  # fmt: skip
    gaps = [(b - a).total_seconds() for (a,), (b,) in pairwise(fires)]
    rows = open_published(lived.settings, "operations").execute(
        "SELECT sum(fired_count), sum(acted_on_count), sum(reopened_count) FROM"
        " fct_alert_resolution_weekly WHERE rule = 'Broken'"
    ).fetchone()  # fmt: skip
    assert rows == (3, 2, 2)
    mtbf = open_published(lived.settings, "operations").execute(
        "SELECT max(mtbf_s) FROM fct_alert_resolution_weekly WHERE rule = 'Broken'"
    ).fetchone()[0]  # fmt: skip
    assert min(gaps) <= mtbf <= max(gaps)


def test_without_alerts_the_marts_are_there_and_empty(built: Settings) -> None:
    marts = open_published(built, "operations")
    for name in ("fct_alert_episodes", "fct_alert_resolution_weekly"):
        assert marts.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,)
