"""`status` says how many requests doors turned away in the last hour, and by which reason."""

import shutil
from datetime import timedelta

from ingestion.doors.turned_away import TurnedAway
from privacy.audit.audit_log import AuditLog
from tests.clocks import WallClock
from tta_monitor.watching.door_health import turned_away


def test_entries_of_the_last_hour_are_added_up_by_door_and_reason(settings, keys) -> None:
    assert turned_away(settings) == {}
    now = [0.0]
    away = TurnedAway("receiver", AuditLog(settings.home, keys), clock=lambda: now[0])
    for _ in range(5):
        away.note("foreign_host")
    now[0] = 61
    away.note("foreign_host")
    TurnedAway("app", AuditLog(settings.home, keys)).note("foreign_origin")
    assert turned_away(settings) == {"app foreign_origin": 1, "receiver foreign_host": 6}


def test_older_ones_are_past_and_without_keys_nothing_is_said(settings, keys) -> None:
    clock = WallClock()
    clock.now -= timedelta(hours=2)
    TurnedAway("live", AuditLog(settings.home, keys, clock)).note("foreign_host")
    assert turned_away(settings) == {}
    shutil.rmtree(settings.home / "keys")
    assert turned_away(settings) == {}
