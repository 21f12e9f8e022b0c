"""Told exactly as the policy says: groups, repeats, levels, mutes, restarts."""

import inspect
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingestion.processes import passes
from ingestion.processes.passes import BatchProblem
from live_tail.alerts.desk import own_batch
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.notify.notify_policy import Policy, load_policy
from live_tail.alerts.words.rule_records import Severity
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.desk.conftest import POLICY, Desk
from tests.live_tail.alerts.support import START, Clock, reading, rule


def test_a_group_waits_tells_repeats_until_acknowledged_and_tells_the_end(desk: Desk) -> None:
    rules = {"Broken": rule(severity=Severity.WARNING)}
    desk.rounds(7_300, reading(component="a"), reading(component="b"), rules=rules)
    assert [t[0] for t in desk.told()] == [40, 3640, 7240]
    for alert in desk.manager.board.alerts():
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
    (alert,) = desk.manager.board.alerts()
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
    assert {a.level for a in desk.manager.board.alerts()} == {1}


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


def test_a_silence_is_previewed_mutes_and_ends(desk: Desk) -> None:
    rules = {"Broken": rule()}
    desk.rounds(10, reading(component="a"), reading(component="b"), rules=rules)
    assert len(desk.manager.board.preview(['component=~"a|b"'])) == 2
    until = desk.clock.now + timedelta(hours=1)
    made = desk.manager.silence(['component="a"'], until, "anna", "call me on 07700900461")
    assert "07700900461" not in made.comment
    desk.restart()
    desk.rounds(60, reading(component="a"), rules=rules)
    assert [a.muted_by for a in desk.manager.board.alerts()] == [(f"silence:{made.id}",)]
    desk.manager.unsilence(made.id)
    assert [a.muted_by for a in desk.manager.board.alerts()] == [()]
    with pytest.raises(ValueError, match="in the future"):
        desk.manager.silence(['component="a"'], desk.clock.now, "anna", "")


def test_a_dead_channel_and_a_wrong_policy_are_alerts_of_their_own(desk: Desk) -> None:
    desk.rounds(60, reading(), rules={"Broken": rule()})
    entry = desk.store.outbox.due("hook", int(4e15))
    desk.store.outbox.mark(entry.key, "waiting", error="ConnectError")
    desk.clock.now = datetime.fromisoformat("2030-01-01T00:00:00+00:00")
    desk.rounds(10, rules={"Broken": rule()})
    assert "NotificationChannelDead" in {a.rule for a in desk.manager.board.alerts()}


def test_wrong_rules_of_errors_are_an_alert_that_ends_with_them(desk: Desk) -> None:
    problem = ["errors.yaml is wrong: rule 1 needs group and when."]
    desk.manager = Manager(
        desk.store,
        lambda: desk.policy,
        clock=desk.clock,
        error_rules_problem=lambda: " ".join(problem),
    )
    desk.rounds(20, rules={"Broken": rule()})
    assert [a.rule for a in desk.manager.board.alerts()] == ["ErrorRulesInvalid"]
    assert desk.manager.problem() == problem[0]
    problem.clear()
    desk.rounds(20, rules={"Broken": rule()})
    assert desk.manager.board.alerts() == [] and desk.manager.problem() == ""


def test_a_failed_batch_pass_is_an_alert_that_says_why_until_one_succeeds(desk: Desk) -> None:
    problems = [BatchProblem("BatchFailed", "the batch pass of 12:00 UTC failed: the disk is full")]
    desk.manager = Manager(
        desk.store, lambda: desk.policy, clock=desk.clock, batch_problems=lambda: problems
    )
    desk.rounds(20, rules={"Broken": rule()})
    (alert,) = desk.manager.board.alerts()
    assert (alert.rule, "the disk is full" in alert.effect) == ("BatchFailed", True)
    problems.clear()
    desk.rounds(20, rules={"Broken": rule()})
    assert desk.manager.board.alerts() == []


def test_every_kind_of_batch_problem_has_a_rule() -> None:
    source = inspect.getsource(passes)
    assert set(re.findall(r'BatchProblem\("(\w+)"', source)) == set(own_batch.RULES)
