"""Delivery: at least once, not twice within the repeat interval, whatever is killed or hangs."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ingestion.settings import Settings
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.journal import Journal
from live_tail.alerts.notify.notifier import Notifier
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.notify.told_ways import ways_of
from privacy.keys.key_store import KeyStore
from privacy.keys.state import connect
from tests.conftest import ROOT
from tests.live_tail.alerts.killable import EVERY_S
from tests.live_tail.alerts.support import Hook, reading, round_at, rule, wait_for

REPEAT_S = 8
POLICY = """
channels: {{{channels}}}
receivers:
  - {{name: team, channels: [{names}]}}
route: {{receiver: team, group_by: ['...'], group_wait: 0s, repeat_interval: {repeat}}}
"""


def write_policy(home: Path, *, repeat: str = "1h", timeout: str = "2s", **hooks: str) -> None:
    channels = ", ".join(
        f'{n}: {{type: webhook, url: "{u}", timeout: {timeout}}}' for n, u in hooks.items()
    )
    text = POLICY.format(channels=channels, names=", ".join(hooks), repeat=repeat)
    (home / "alerting.yaml").write_text(text)


class Pair:
    """A manager and a notifier over one home, in this process."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        policy = WatchedPolicy(settings.home)
        self.store = Store(settings.home, keys)
        self.manager = Manager(self.store, policy)
        self.notifier = Notifier(settings.home, keys, lambda: ways_of(policy()))
        self.thread = threading.Thread(target=self.notifier.run, daemon=True)
        self.thread.start()

    def fire(self, *names: str) -> None:
        rules = {n: rule(n, is_fast=True) for n in names}
        self.manager.take(round_at(datetime.now(UTC), *(reading(n) for n in names)), rules)

    def stop(self) -> None:
        self.notifier.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()


def test_a_channel_that_hangs_delays_no_other(settings: Settings, keys: KeyStore) -> None:
    release = threading.Event()
    slow, quick = Hook(lambda: 200 if release.wait(30) else 503), Hook()
    write_policy(settings.home, slow=slow.url, quick=quick.url)
    pair = Pair(settings, keys)
    try:
        began = time.time()
        for n in range(5):
            pair.fire(*[f"Broken{i}" for i in range(n + 1)])
        assert wait_for(lambda: len(quick.received) == 5, 10)
        assert max(at for _, _, at in quick.received) - began < 2
        waiting = [d for d in pair.store.outbox.deliveries(20) if d["channel"] == "slow"]
        assert len(waiting) == 5 and all(d["state"] == "waiting" for d in waiting)
    finally:
        release.set()
        pair.stop()
        slow.close()
        quick.close()


def test_a_refused_message_is_sent_again_with_the_same_key(
    settings: Settings, keys: KeyStore
) -> None:
    answers = iter([500, 429, 200])
    hook = Hook(lambda: next(answers))
    write_policy(settings.home, hook=hook.url)
    pair = Pair(settings, keys)
    try:
        pair.fire("Broken")
        assert wait_for(lambda: pair.store.outbox.deliveries(1)[0]["state"] == "delivered")
        assert len(hook.received) == 3 and len({key for key, _, _ in hook.received}) == 1
        assert pair.store.outbox.deliveries(1)[0]["attempts"] == 3
        assert pair.store.outbox.channels()[0]["failures"] == 0
    finally:
        pair.stop()
        hook.close()


def test_the_webhook_speaks_alertmanagers_version_four(settings: Settings, keys: KeyStore) -> None:
    hook = Hook()
    write_policy(settings.home, hook=hook.url)
    pair = Pair(settings, keys)
    try:
        pair.fire("Broken")
        assert wait_for(lambda: len(hook.received) == 1)
    finally:
        pair.stop()
        hook.close()
    body = hook.received[0][1]
    assert set(body) == set(
        "version groupKey truncatedAlerts status receiver groupLabels commonLabels"
        " commonAnnotations externalURL notification_reason alerts".split()
    )
    (alert,) = body["alerts"]
    assert (body["version"], body["status"], alert["status"]) == ("4", "firing", "firing")
    assert alert["labels"]["alertname"] == "Broken" and alert["endsAt"].startswith("0001-")
    assert datetime.fromisoformat(alert["startsAt"]).tzinfo is not None


def test_what_was_being_handed_over_waits_for_its_repeat_interval(
    settings: Settings, keys: KeyStore
) -> None:
    hook = Hook()
    write_policy(settings.home, hook=hook.url, repeat="1s")
    store = Store(settings.home, keys)
    manager = Manager(store, WatchedPolicy(settings.home))
    now = datetime.now(UTC)
    manager.take(round_at(now, reading()), {"Broken": rule(is_fast=True)})
    key = store.outbox.deliveries(1)[0]["key"]
    Journal(settings.home / "run" / "deliveries.journal").begin(key)
    began = time.time()
    pair = Pair(settings, keys)
    try:
        assert wait_for(lambda: len(hook.received) == 1)
        assert hook.received[0][2] - began >= 0.95 and hook.received[0][0] == key
        assert wait_for(lambda: store.outbox.state_of(key) == "delivered")
    finally:
        pair.stop()
        hook.close()


def test_a_second_hand_over_that_is_interrupted_waits_as_long_as_the_first(
    settings: Settings, keys: KeyStore
) -> None:
    write_policy(settings.home, hook="http://127.0.0.1:9/x")
    store = Store(settings.home, keys)
    now = datetime.now(UTC)
    Manager(store, WatchedPolicy(settings.home)).take(
        round_at(now, reading()), {"Broken": rule(is_fast=True)}
    )
    key = store.outbox.deliveries(1)[0]["key"]
    journal = Journal(settings.home / "run" / "deliveries.journal")
    for _ in range(2):
        journal.begin(key)
        Notifier(settings.home, keys, dict)._lock.release()
        assert store.outbox.due("hook", time.time_ns() // 1_000) is None
        with connect(settings.home) as db:
            db.execute("UPDATE alert_outbox SET due_us = 0")


def test_a_refused_message_is_not_put_off_by_a_restart(settings: Settings, keys: KeyStore) -> None:
    journal = Journal(settings.home / "run" / "deliveries.journal")
    refused, interrupted = "a" * 32, "b" * 32
    for key in (refused, interrupted):
        journal.begin(key)
    journal.end(refused)
    assert Journal(settings.home / "run" / "deliveries.journal").left_over() == {interrupted}


def test_a_message_for_a_channel_whose_type_was_changed_blocks_nothing(
    settings: Settings, keys: KeyStore
) -> None:
    hook = Hook()
    write_policy(settings.home, there=hook.url)
    hooked = (settings.home / "alerting.yaml").read_text()
    spoken = hooked.replace("type: webhook", "type: console")
    assert spoken != hooked
    (settings.home / "alerting.yaml").write_text(spoken)
    store = Store(settings.home, keys)
    Manager(store, WatchedPolicy(settings.home)).take(
        round_at(datetime.now(UTC), reading()), {"Broken": rule(is_fast=True)}
    )
    (settings.home / "alerting.yaml").write_text(hooked)
    pair = Pair(settings, keys)
    try:
        pair.fire("Other")
        assert wait_for(lambda: len(hook.received) == 1)
        error = "the channel's type was changed"
        assert error in {
            d["error"] for d in store.outbox.deliveries(5) if d["state"] == "superseded"
        }
    finally:
        pair.stop()
        hook.close()


def test_an_unconfirmed_message_is_dropped_once_something_newer_arrived(
    settings: Settings, keys: KeyStore
) -> None:
    write_policy(settings.home, hook="http://127.0.0.1:9/x")
    store = Store(settings.home, keys)
    manager = Manager(store, WatchedPolicy(settings.home))
    now = datetime.now(UTC)
    rules = {"Broken": rule(is_fast=True)}
    manager.take(round_at(now, reading()), rules)
    old = store.outbox.due("hook", int(4e15))
    store.outbox.defer(old.key)
    manager.take(round_at(now + timedelta(minutes=10)), rules)
    newest = store.outbox.deliveries(1)[0]["key"]
    store.outbox.mark(newest, "delivered")
    assert store.outbox.is_replaced(store.outbox.due("hook", int(4e15)))


def kill(home: Path, role: str) -> bool:
    try:
        os.kill(int((home / f"{role}.pid").read_text()), signal.SIGKILL)
    except (OSError, ValueError):
        return False
    return True


@pytest.mark.slow
def test_120_kills_lose_no_alert_and_send_none_twice(settings: Settings, keys: KeyStore) -> None:
    chance = random.Random(4)
    hook = Hook()
    home = settings.home
    # A receiver that answers too late is told again, rightly: that is not what is counted here.
    write_policy(home, hook=hook.url, repeat=f"{REPEAT_S}s", timeout="60s")
    began = time.time()
    (home / "began").write_text(str(began))
    (home / "until").write_text(str(began + 20))
    module = "tests.live_tail.alerts.killable"
    processes = [
        subprocess.Popen([sys.executable, "-m", module, role, str(home)], cwd=ROOT)
        for role in ("engine", "notifier")
    ]
    kills = 0
    try:
        assert wait_for(lambda: len(hook.received) > 3)
        while kills < 120:
            kills += kill(home, chance.choice(["engine", "notifier"]))
            time.sleep(chance.uniform(0.05, 0.25))
        expected = {str(n) for n in range(int(20 / EVERY_S) - 1)}
        assert wait_for(lambda: expected <= series(hook), 300)
    finally:
        for process in processes:
            process.kill()
            process.wait()
        kill(home, "engine")
        kill(home, "notifier")
        hook.close()
    by_key: dict[str, list[float]] = defaultdict(list)
    for key, _, at in hook.received:
        by_key[key].append(at)
    repeated = {k: [b - a for a, b in pairwise(t)] for k, t in by_key.items()}
    assert all(gap >= REPEAT_S * 0.98 for gaps in repeated.values() for gap in gaps)


def series(hook: Hook) -> set[str]:
    return {a["labels"]["series"] for _, body, _ in hook.received for a in body["alerts"]}
