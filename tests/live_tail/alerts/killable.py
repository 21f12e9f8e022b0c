"""`python -m tests.live_tail.alerts.killable ROLE HOME`: alerting that is killed over and over.

Imports once, then forks a child that does the work; when the child is killed another follows. Every
tenth of a second one more series of a critical, fast rule begins to fire.
"""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import filelock  # noqa: F401 - otherwise each child imports it with its first lock

from ingestion.settings import load_settings
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.notifier import Notifier
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.notify.told_ways import ways_of
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.support import reading, round_at, rule

EVERY_S = 0.1


def work(role: str, home: Path) -> None:
    settings = load_settings(home)
    keys = KeyStore.open(home)
    policy = WatchedPolicy(settings.home)
    if role == "notifier":
        Notifier(home, keys, lambda: ways_of(policy())).run()
    began_s = float((home / "began").read_text())
    until_s = float((home / "until").read_text())
    manager = Manager(Store(home, keys), policy)
    while True:
        count = int((min(time.time(), until_s) - began_s) / EVERY_S)
        found = [reading(series=str(n)) for n in range(count)]
        manager.take(round_at(datetime.now(UTC), *found), {"Broken": rule(is_fast=True)})
        time.sleep(0.02)


def main() -> None:
    role, home = sys.argv[1], Path(sys.argv[2])
    while os.getppid() != 1:
        child = os.fork()
        if child == 0:
            work(role, home)
        pid_file = home / f"{role}.pid"
        pid_file.write_text(str(child))
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
