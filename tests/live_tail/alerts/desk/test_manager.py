"""Told exactly as the policy says: groups, repeats, levels, calendars, mutes, restarts."""

import inspect
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingestion.processes import passes
from ingestion.processes.passes import BatchProblem
from live_tail.alerts.desk import own_batch
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.store import Store
from live_tail.alerts.notify.policy import Policy, PolicyProblem, Schedule, load_policy
from live_tail.alerts.notify.times import is_within, next_handover, on_call
from live_tail.alerts.words.model import Inhibition, Severity
from privacy.keys.store import KeyStore
from tests.live_tail.alerts.support import START, Clock, reading, round_at, rule

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
        rows = reversed(self.store.deliveries(1_000))
        return [
            (
                round((r["created_us"] - start) / 1e6),
                r["channel"],
                self.store.payload(r["key"])["title"],
            )
            for r in rows
        ]


@pytest.fixture
def desk(home: Path, keys: KeyStore, policy: Policy) -> Desk:
    return Desk(home, keys, policy, Clock(START + timedelta(hours=12)))


def test_a_group_waits_tells_repeats_until_acknowledged_and_tells_the_end(desk: Desk) -> None:
    rules = {"Broken": rule(severity=Severity.WARNING)}
    desk.rounds(7_300, reading(component="a"), reading(component="b"), rules=rules)
    assert [t[0] for t in desk.told()] == [40, 3640, 7240]
    for alert in desk.manager.alerts():
        desk.manager.acknowledge(alert.id, "anna")
    desk.rounds(7_300, reading(component="a"), reading(component="b"), rules=rules)
    assert len(desk.told()) == 3
    desk.rounds(600, rules=rules)
    assert desk.told()[-1][2] == "RESOLVED warning: Broken (2)"


def test_the_fast_lane_waits_for_no_group(desk: Desk) -> None:
    desk.rounds(10, reading(), rules={"Broken": rule(is_fast=True)})
    assert [(t[0], t[1]) for t in desk.told()] == [(10, "hook")]


def test_three_levels_across_a_change_of_the_clock_and_a_restart(
    home: Path, keys: KeyStore, policy: Policy
) -> None:
    # 29 March 2026, 02:00 in Berlin becomes 03:00; anna hands over to ben at 09:00 = 07:00 UTC.
    clock = Clock(datetime.fromisoformat("2026-03-29T06:49:50+00:00"))
    desk = Desk(home, keys, policy, clock)
    rules = {"Broken": rule()}
    desk.rounds(400, reading(), rules=rules)
    desk.restart()
    desk.rounds(1_500, reading(), rules=rules)
    assert [t[:2] for t in desk.told()] == [
        (40, "hook"), (310, "anna"), (910, "ben"), (1810, "boss"),
    ]  # fmt: skip
    (alert,) = desk.manager.alerts()
    desk.manager.acknowledge(alert.fingerprint, "ben")
    desk.restart()
    desk.rounds(8_000, reading(), rules=rules)
    assert len(desk.told()) == 4
    desk.rounds(400, rules=rules)
    assert desk.told()[-1][2] == "RESOLVED critical: Broken"


def test_levels_missed_while_the_process_was_down_are_told_once(desk: Desk) -> None:
    rules = {"Broken": rule()}
    desk.rounds(60, reading(), rules=rules)
    desk.clock.forward(hours=1)
    desk.restart()
    desk.rounds(20, reading(), rules=rules)
    assert [t[1] for t in desk.told() if t[1] != "hook"] == ["boss"]


def test_alerts_that_reach_a_level_together_are_told_in_one_message(desk: Desk) -> None:
    rules = {"Broken": rule()}
    found = [reading(component=f"c{n}") for n in range(50)]
    desk.rounds(20, *found, rules=rules)
    desk.rounds(400, *found, reading(component="later"), rules=rules)
    on_call = [t for t in desk.told() if t[1] in {"anna", "ben"}]
    assert [(t[0], t[2]) for t in on_call] == [
        (310, "FIRING critical: Broken (50) · level 1"),
        (330, "FIRING critical: Broken · level 1"),
    ]
    assert {a.level for a in desk.manager.alerts()} == {1}


def test_who_hears_of_an_alert_at_this_instant_is_not_told_its_level_as_well(
    home: Path, keys: KeyStore
) -> None:
    text = POLICY.replace("group_wait: 30s", "group_wait: 5m").replace(
        '{after: 5m, notify: ["on-call:first"]}', '{after: 5m, notify: ["channel:hook"]}'
    )
    (home / "alerting.yaml").write_text(text)
    desk = Desk(home, keys, load_policy(home), Clock(START + timedelta(hours=12)))
    desk.rounds(320, reading(component="a"), reading(component="b"), rules={"Broken": rule()})
    assert desk.told() == [(310, "hook", "FIRING critical: Broken (2)")]


def test_quiet_hours_hold_back_all_but_critical_alerts_until_they_end(
    home: Path, keys: KeyStore, policy: Policy
) -> None:
    desk = Desk(home, keys, policy, Clock(datetime.fromisoformat("2026-03-02T02:00:00+00:00")))
    rules = {"Quiet": rule("Quiet", severity=Severity.WARNING), "Broken": rule()}
    desk.rounds(120, reading("Quiet"), reading(), rules=rules)
    assert {t[2] for t in desk.told()} == {"FIRING critical: Broken"}
    desk.rounds(3 * 3_600 + 600, reading("Quiet"), reading(), rules=rules, step=60)
    assert "FIRING warning: Quiet" in {t[2] for t in desk.told()}


def test_a_dead_dependency_mutes_its_dependants_but_records_them(desk: Desk) -> None:
    down = rule("RedisDown", inhibits=(Inhibition(targets=(("rule", "Slow"),), by_use=True),))
    rules = {"RedisDown": down, "Slow": rule("Slow")}
    uses = frozenset({("api", "redis")})
    found = (
        reading("RedisDown", dependency="redis"),
        reading("Slow", component="api"),
        reading("Slow", component="web"),
    )
    for _ in range(6):
        desk.manager.take(round_at(desk.clock.forward(seconds=10), *found, uses=uses), rules)
    muted = {dict(a.labels).get("component"): a.muted_by for a in desk.manager.alerts()}
    assert muted["api"] and muted["api"][0].startswith("inhibited:")
    assert muted["web"] == () and muted[None] == ()
    kinds = [e["kind"] for a in desk.manager.alerts() if a.muted_by for e in desk.manager.events(a)]
    assert kinds == ["fired", "muted"]


class Outage:
    """Redis dies for a minute; the API's error budget goes on burning in its long windows."""

    down, burning = reading("RedisDown", dependency="redis"), reading("Burning", component="api")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        down = rule("RedisDown", is_fast=True, inhibits=(Inhibition(by_use=True),))
        self._rules = {"RedisDown": down, "Burning": rule("Burning", is_fast=True)}
        self.rounds(60, self.down, self.burning)
        self.rounds(10, self.burning)

    def rounds(self, seconds: float, *found, step: float = 10) -> None:
        uses = frozenset({("api", "redis")})
        for _ in range(int(seconds / step)):
            at = self._desk.clock.forward(seconds=step)
            self._desk.manager.take(round_at(at, *found, uses=uses), self._rules)

    def told(self) -> set[str]:
        return {title for _, _, title in self._desk.told() if "Burning" in title}

    def mutes(self) -> list[str]:
        alerts = [a for a in self._desk.manager.alerts() if a.rule == "Burning"]
        return [m.partition(":")[0] for a in alerts for m in a.muted_by]


def test_what_an_outage_set_off_is_not_told_after_it_ended(desk: Desk) -> None:
    outage = Outage(desk)
    assert outage.mutes() == ["recovering"]
    outage.rounds(25 * 60, outage.burning, step=60)
    desk.restart()
    outage.rounds(60, outage.burning)
    assert outage.mutes() == ["recovering"]
    outage.rounds(10)
    assert outage.told() == set()


def test_what_still_burns_after_the_grace_is_told_and_escalated_from_then(desk: Desk) -> None:
    outage = Outage(desk)
    outage.rounds(30 * 60, outage.burning)
    assert outage.mutes() == [] and outage.told() == {"FIRING critical: Burning"}
    people = [c for _, c, title in desk.told() if "Burning" in title and c != "hook"]
    assert people == []
    outage.rounds(6 * 60, outage.burning)
    people = [c for _, c, title in desk.told() if "Burning" in title and c != "hook"]
    assert people == ["ben"] or people == ["anna"]


def test_what_begins_long_after_the_recovery_is_told_at_once(desk: Desk) -> None:
    outage = Outage(desk)
    outage.rounds(120)
    outage.rounds(60, outage.burning)
    assert outage.mutes() == [] and outage.told() == {"FIRING critical: Burning"}


def test_a_silence_is_previewed_mutes_and_ends(desk: Desk) -> None:
    rules = {"Broken": rule()}
    desk.rounds(10, reading(component="a"), reading(component="b"), rules=rules)
    assert len(desk.manager.preview(['component=~"a|b"'])) == 2
    until = desk.clock.now + timedelta(hours=1)
    made = desk.manager.silence(['component="a"'], until, "anna", "call me on 07700900461")
    assert "07700900461" not in made.comment
    desk.restart()
    desk.rounds(60, reading(component="a"), rules=rules)
    assert [a.muted_by for a in desk.manager.alerts()] == [(f"silence:{made.id}",)]
    desk.manager.unsilence(made.id)
    assert [a.muted_by for a in desk.manager.alerts()] == [()]
    with pytest.raises(ValueError, match="in the future"):
        desk.manager.silence(['component="a"'], desk.clock.now, "anna", "")


def test_a_dead_channel_and_a_wrong_policy_are_alerts_of_their_own(desk: Desk) -> None:
    desk.rounds(60, reading(), rules={"Broken": rule()})
    entry = desk.store.due("hook", int(4e15))
    desk.store.mark(entry.key, "waiting", error="ConnectError")
    desk.clock.now = datetime.fromisoformat("2030-01-01T00:00:00+00:00")
    desk.rounds(10, rules={"Broken": rule()})
    assert "NotificationChannelDead" in {a.rule for a in desk.manager.alerts()}


def test_wrong_rules_of_errors_are_an_alert_that_ends_with_them(desk: Desk) -> None:
    problem = ["errors.yaml is wrong: rule 1 needs group and when."]
    desk.manager = Manager(
        desk.store,
        lambda: desk.policy,
        clock=desk.clock,
        error_rules_problem=lambda: " ".join(problem),
    )
    desk.rounds(20, rules={"Broken": rule()})
    assert [a.rule for a in desk.manager.alerts()] == ["ErrorRulesInvalid"]
    assert desk.manager.problem() == problem[0]
    problem.clear()
    desk.rounds(20, rules={"Broken": rule()})
    assert desk.manager.alerts() == [] and desk.manager.problem() == ""


def test_a_failed_batch_pass_is_an_alert_that_says_why_until_one_succeeds(desk: Desk) -> None:
    problems = [BatchProblem("BatchFailed", "the batch pass of 12:00 UTC failed: the disk is full")]
    desk.manager = Manager(
        desk.store, lambda: desk.policy, clock=desk.clock, batch_problems=lambda: problems
    )
    desk.rounds(20, rules={"Broken": rule()})
    (alert,) = desk.manager.alerts()
    assert (alert.rule, "the disk is full" in alert.effect) == ("BatchFailed", True)
    problems.clear()
    desk.rounds(20, rules={"Broken": rule()})
    assert desk.manager.alerts() == []


def test_every_kind_of_batch_problem_has_a_rule() -> None:
    source = inspect.getsource(passes)
    assert set(re.findall(r'BatchProblem\("(\w+)"', source)) == set(own_batch.RULES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("receiver: team", "receiver: nobody"),
        ("group_wait: 30s", "group_wait: soon"),
        ("Europe/Berlin", "Mars/Olympus"),
        ("on-call:first", "on-call:second"),
        ("channels: [hook]", "channels: [pigeon]"),
    ],
)
def test_a_wrong_policy_names_the_mistake(home: Path, change: str, words: str) -> None:
    (home / "alerting.yaml").write_text(POLICY.replace(change, words))
    with pytest.raises(PolicyProblem, match=r"alerting\.yaml is wrong"):
        load_policy(home)


def test_the_shipped_policy_is_valid_and_a_webhook_can_be_added_by_setting(home: Path) -> None:
    policy = load_policy(home, "http://127.0.0.1:1/hook")
    assert all("webhook" in r.channels for r in policy.receivers)


def test_hand_over_is_at_the_same_local_time_on_both_sides_of_a_change_of_the_clock() -> None:
    schedule = Schedule.model_validate(
        {"name": "x", "members": ["a", "b"], "time_zone": "Europe/Berlin",
         "starts_on": "2026-03-22", "handover": "09:00",
         "overrides": [{"member": "c", "starts_at": "2026-04-01T00:00:00",
                        "ends_at": "2026-04-02T00:00:00"}]}
    )  # fmt: skip

    def at(text: str) -> str:
        return on_call(schedule, datetime.fromisoformat(f"{text}+00:00"))

    assert [at("2026-03-22T07:59:00"), at("2026-03-22T08:00:00")] == ["b", "a"]
    assert [at("2026-03-29T06:59:00"), at("2026-03-29T07:00:00")] == ["a", "b"]
    assert [at("2026-03-31T21:59:00"), at("2026-03-31T22:00:00")] == ["b", "c"]
    before = datetime.fromisoformat("2026-03-28T12:00:00+00:00")
    assert next_handover(schedule, before).isoformat() == "2026-03-29T07:00:00+00:00"


def test_hours_over_midnight_follow_the_local_clock(policy: Policy) -> None:
    hours = policy.quiet_hours.hours

    def quiet(text: str) -> bool:
        return is_within(hours, "Europe/Berlin", datetime.fromisoformat(f"{text}+00:00"))

    assert [quiet("2026-03-28T21:00:00"), quiet("2026-03-28T20:59:00")] == [True, False]
    assert [quiet("2026-03-29T03:59:00"), quiet("2026-03-29T04:00:00")] == [True, False]
