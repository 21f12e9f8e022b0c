"""The policy of notifications: its mistakes, its hours, and who is on call."""

from datetime import datetime
from pathlib import Path

import pytest

from live_tail.alerts.notify.notify_policy import Policy, PolicyProblem, Schedule, load_policy
from live_tail.alerts.notify.times import is_within, next_handover, on_call
from tests.live_tail.alerts.desk.conftest import POLICY


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
