"""States, releases and escalation: what is told, and how seldom it is told wrongly."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.meaning.errors.escalation import baseline, escalating, p_value
from ingestion.meaning.errors.group_states import (
    GroupRecord,
    State,
    is_later_release,
    muted,
    resolved,
    seen_again,
)

AT = datetime(2026, 11, 23, 12)


def record(**values: object) -> GroupRecord:
    given = {
        "key": "g1:a", "title": "t", "type": "E", "culprit": "", "rule": "r", "explanation": "e",
        "component": "api", "sample_stack": "", "first_seen_at": AT, "last_seen_at": AT, **values,
    }  # fmt: skip
    return GroupRecord(**given)


@pytest.mark.parametrize(
    ("one", "other", "is_later"),
    [
        ("1.10.0", "1.9.0", True),
        ("1.9.0", "1.10.0", False),
        ("v2", "1.9", True),
        ("1.0.0", "1.0.0-rc1", True),
        ("1.0.0-beta.2", "1.0.0-alpha.9", True),
        ("tta@2.0.0", "tta@1.0.0", True),
        ("1.0", "1.0.0", False),
        ("20260302", "20260301", True),
        ("ab12cd3", "ff00112", None),
        ("main", "1.0", None),
    ],
)
def test_releases_are_compared_as_people_number_them(one, other, is_later) -> None:
    assert is_later_release(one, other) is is_later


@pytest.mark.parametrize(
    ("version", "minutes", "is_back"),
    [
        ("1.2.0", 5, False),  # the release it was resolved in still runs somewhere
        ("1.1.0", 5, False),
        ("1.3.0", -5, True),
        (None, 5, True),
        (None, -5, False),
        ("deadbee", 5, True),
        ("deadbee", -5, False),
    ],
)
def test_a_resolved_group_comes_back_by_release_or_else_by_time(version, minutes, is_back) -> None:
    done = resolved(record(last_version="1.2.0"), AT, None)
    again = seen_again(done, version, AT + timedelta(minutes=minutes))
    assert (again.state(AT) is State.REGRESSED) is is_back


@settings(deadline=None)
@given(st.permutations([1, 2, 3, 4, 5]))
def test_the_order_of_arrival_does_not_change_a_record(order: list[int]) -> None:
    seen = record()
    for number in order:
        seen = seen_again(seen, f"1.{number}", AT + timedelta(minutes=number))
    assert (seen.count, seen.last_version) == (5, "1.5")


def test_new_becomes_ongoing_after_a_day_and_a_mute_hides_both() -> None:
    assert record().state(AT + timedelta(hours=23)) is State.NEW
    assert record().state(AT + timedelta(hours=25)) is State.ONGOING
    assert muted(record(), AT).state(AT) is State.MUTED


def test_history_is_the_same_hour_of_the_week_and_too_little_of_it_is_none() -> None:
    counts = {AT - timedelta(weeks=1): 4, AT - timedelta(hours=1): 99}
    assert baseline(counts, AT, AT - timedelta(weeks=3)) == [4, 0, 0]
    assert baseline(counts, AT, AT - timedelta(days=8)) is None


@pytest.mark.parametrize(
    ("count", "history", "low", "high"),
    [
        (0, [1, 1], 1, 1),
        (5, [5, 5, 5, 5], 0.3, 0.7),
        (40, [5, 5, 5, 5], 0, 1e-6),
        (1, [0, 0], 0.05, 0.4),
    ],
)
def test_probabilities_are_where_they_must_be(count, history, low, high) -> None:
    assert low <= p_value(count, history) <= high


def poisson(chance: random.Random, rate: float) -> int:
    passed, count = chance.expovariate(rate), 0
    while passed < 1:
        count, passed = count + 1, passed + chance.expovariate(rate)
    return count


@pytest.mark.parametrize("burst", [1.0, 2.0])
def test_quiet_groups_hardly_ever_escalate(burst: float) -> None:
    """500 rounds of 40 groups without any change; rates also vary by hour where `burst` is above 1."""
    chance, alarms = random.Random(11), 0

    def hour(rate: float) -> int:
        return poisson(chance, rate * chance.uniform(1 / burst, burst))

    for _ in range(500):
        rates = [chance.choice([0.5, 3, 12, 40]) for _ in range(40)]
        counts = {str(i): (hour(r), [hour(r) for _ in range(8)]) for i, r in enumerate(rates)}
        alarms += bool(escalating(counts))
    assert alarms <= 0.02 * 500


def test_a_tenfold_rise_is_found_among_forty_quiet_groups() -> None:
    chance, found = random.Random(5), 0
    for _ in range(100):
        counts = {
            str(i): (poisson(chance, 4), [poisson(chance, 4) for _ in range(8)]) for i in range(40)
        }
        counts["hot"] = (poisson(chance, 40), [poisson(chance, 4) for _ in range(8)])
        found += "hot" in escalating(counts)
    assert found >= 98
