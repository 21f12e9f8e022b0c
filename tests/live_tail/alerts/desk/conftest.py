"""A desk: one manager with its policy, clock and what it sent."""

from datetime import timedelta
from pathlib import Path

import pytest

from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.notify_policy import Policy, load_policy
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.support import START, Clock, round_at

POLICY = """
channels:
  hook: {type: webhook, url: "http://127.0.0.1:9/x"}
  anna: {type: console}
  ben: {type: console}
  boss: {type: console}
receivers:
  - {name: team, channels: [hook]}
  - {name: boss, channels: [boss]}
people:
  - {name: anna, channels: [anna]}
  - {name: ben, channels: [ben]}
schedules:
  - {name: first, members: [anna, ben], time_zone: Europe/Berlin, starts_on: 2026-03-22, every_days: 7, handover: "09:00"}
route:
  receiver: team
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
  routes:
    - {matchers: ['severity="critical"'], escalation: steps}
escalations:
  - name: steps
    levels:
      - {after: 5m, notify: ["on-call:first"]}
      - {after: 15m, notify: ["on-call:first"]}
      - {after: 30m, notify: ["receiver:boss"]}
    repeat_interval: 1h
quiet_hours:
  time_zone: Europe/Berlin
  hours: [{start: "22:00", end: "06:00"}]
"""


@pytest.fixture
def policy(home: Path) -> Policy:
    (home / "alerting.yaml").write_text(POLICY)
    return load_policy(home)


class Desk:
    """A manager with a clock that can be restarted; `told` is (seconds since start, channel, title)."""

    def __init__(self, home: Path, keys: KeyStore, policy: Policy, clock: Clock) -> None:
        self.home, self.keys, self.policy, self.clock = home, keys, policy, clock
        self.start_at = clock.now
        self.restart()

    def restart(self) -> None:
        self.store = Store(self.home, self.keys)
        self.manager = Manager(self.store, lambda: self.policy, clock=self.clock)

    def rounds(self, seconds: float, *readings, rules, step: float = 10) -> None:
        for _ in range(int(seconds / step)):
            self.clock.forward(seconds=step)
            self.manager.take(round_at(self.clock.now, *readings), rules)

    def told(self) -> list[tuple[int, str, str]]:
        start = int(self.start_at.timestamp() * 1e6)
        rows = reversed(self.store.outbox.deliveries(1_000))
        return [
            (
                round((r["created_us"] - start) / 1e6),
                r["channel"],
                self.store.outbox.payload(r["key"])["title"],
            )
            for r in rows
        ]


@pytest.fixture
def desk(home: Path, keys: KeyStore, policy: Policy) -> Desk:
    return Desk(home, keys, policy, Clock(START + timedelta(hours=12)))
