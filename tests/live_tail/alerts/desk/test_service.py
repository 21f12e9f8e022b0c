"""The thread that ticks: rounds are judged over a window that is whole."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.desk import service
from live_tail.alerts.desk.service import AlertService
from live_tail.alerts.desk.site_files import SiteFiles
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.rounds import DueRounds
from live_tail.alerts.rules.rule_files import RuleFolders
from live_tail.window import follow
from live_tail.window.follow import Follower
from live_tail.window.opened import Opened
from live_tail.window.window import Window
from privacy.audit.audit_log import AuditLog
from privacy.audit.file_changes import FileChanges
from privacy.keys.key_store import KeyStore
from tests.live_tail.test_live_tail import request_body


@pytest.fixture
def made(settings: Settings, keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A service over a spool of more than a reader waits for, of which nothing was taken in yet."""
    monkeypatch.setattr(follow, "_ASKED_ROWS", 3)
    monkeypatch.setattr(follow, "_ROUND_ROWS", 2)
    pipeline = Pipeline(Spool(settings.spool_path, keys), keys)
    for number in range(6):
        pipeline.process([Incoming("spans", request_body(number, datetime.now(UTC)))])
    window = Window(minutes=60, max_errors=10, clock=lambda: datetime.now(UTC))
    follower = Follower(Spool(settings.spool_path, keys), window, fresh_ms=0, opened=Opened())
    rounds = DueRounds(Sources(window), RuleFolders([tmp_path]), clock=lambda: datetime.now(UTC))
    return (
        AlertService(
            settings, keys, rounds,
            spool=Spool(settings.spool_path, keys), opened=Opened(), follower=follower,
            files=SiteFiles(settings, FileChanges(AuditLog(settings.home, keys), keys)),
        ),
        follower,
    )  # fmt: skip


def test_while_the_window_is_rebuilt_no_round_is_judged(made) -> None:
    alerts, follower = made
    alerts.tick()
    assert follower.live_seq == 0
    while not follower.is_caught_up():
        follower.step()
    alerts.tick()
    assert alerts._has_all


def test_a_window_that_never_becomes_whole_is_judged_after_a_while(
    made, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts, follower = made
    monkeypatch.setattr(service, "_REBUILD_S", -1.0)
    alerts.tick()
    assert follower.live_seq > 0
