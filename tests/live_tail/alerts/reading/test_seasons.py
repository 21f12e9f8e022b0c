"""What is usual at an hour of the week, and rules that compare with it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.reading.seasons import WEEKS, Hours
from live_tail.alerts.reading.selecting import Select
from live_tail.alerts.rules.evaluate import evaluate
from live_tail.alerts.rules.rule_spec import Anomaly, Forecast
from live_tail.alerts.trials.promtest import run_file
from live_tail.alerts.trials.promtest_files import BadTestFile
from live_tail.alerts.trials.promtest_input import landed
from live_tail.alerts.words.rule_records import Round, Rule, Severity
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore

# A Monday.
NOW = datetime(2026, 3, 2, 9, 30)
SELECT = Select(metric="players", over=timedelta(minutes=5))
LABELS = (("component", "c"),)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)


def hours_of(weeks: int, value: float = 100.0, **more: float) -> Hours:
    """Full at nine on Mondays, `other` at all other times; every value varies a little."""
    made = Hours()
    chance = np.random.default_rng(1)
    for ago in range(weeks * 168, 0, -1):
        at = NOW.replace(minute=0) - ago * HOUR
        is_busy = at.weekday() == 0 and at.hour == 9
        level = value if is_busy else more.get("other", 10.0)
        made.fill(SELECT, LABELS, at, level + chance.normal(0, 1))
    return made


def round_of(value: float, hours: Hours, at: datetime = NOW, **when: object) -> Round:
    window = Window(minutes=60, max_errors=10, clock=lambda: at.replace(tzinfo=UTC))
    row = {"metric": "players", "kind": "gauge", "event_at": at, "component": "c", "value": value}
    window.ingest("metric_points", [(1, landed("metric_points", [row]))])
    spec = Anomaly(select=SELECT, season="week", **when)  # type: ignore[arg-type]
    rule = Rule("Odd", "anomaly", {"when": spec}, Severity.WARNING, "s")
    return evaluate([rule], Sources(window, hours=hours), at.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("value", "at", "fires"),
    [
        (100.0, NOW, False),
        (10.0, NOW, True),
        (100.0, NOW + HOUR, True),
        (10.0, NOW + HOUR, False),
        (100.0, NOW + timedelta(days=1), True),
    ],
)
def test_a_value_is_compared_with_the_same_hour_of_the_weeks_before(
    value: float, at: datetime, fires: bool
) -> None:
    found = round_of(value, hours_of(4), at)
    assert (len(found.readings) == 1) is fires and not found.failed and not found.unjudged


@pytest.mark.parametrize("weeks", [0, 1, 2])
def test_too_short_a_history_raises_nothing_and_says_so(weeks: int) -> None:
    found = round_of(10_000.0, hours_of(weeks))
    assert not found.readings and not found.failed
    assert found.unjudged["Odd"].startswith("not enough history: 1 of 1 series have fewer than 3")


def test_a_history_with_gaps_counts_the_weeks_that_it_has() -> None:
    made = Hours()
    for week in (1, 4, 7):
        made.fill(SELECT, LABELS, NOW - week * WEEK, 100.0)
    assert len(round_of(10.0, made).readings) == 1
    assert made.usual(SELECT, LABELS, NOW) is not None
    assert round_of(10.0, made, NOW + HOUR).unjudged


def test_guards_and_direction_hold_for_seasons_too() -> None:
    assert not round_of(10.0, hours_of(4), direction="up").readings
    assert not round_of(85.0, hours_of(4)).readings
    assert round_of(85.0, hours_of(4), min_relative=0.1).readings
    assert not round_of(85.0, hours_of(4), min_relative=0.1, min_absolute=50).readings


def test_one_odd_week_is_not_what_is_usual() -> None:
    made = hours_of(5)
    made.fill(SELECT, LABELS, NOW - 2 * WEEK, 9_000.0)
    assert not round_of(100.0, made).readings
    assert round_of(10.0, made).readings


def test_what_varies_within_its_hours_is_odd_only_beyond_that() -> None:
    made = Hours()
    for week in range(4, 0, -1):
        for minute in range(60):
            value = 100.0 + (50 if minute % 2 else -50)
            made.add(SELECT, {LABELS: value}, NOW.replace(minute=minute) - week * WEEK)
    assert not round_of(150.0, made, deviations=4).readings
    assert round_of(600.0, made, deviations=4).readings


def test_the_hour_that_runs_is_not_its_own_history() -> None:
    made = hours_of(4)
    for second in range(120):
        made.add(SELECT, {LABELS: 10.0}, NOW + timedelta(seconds=second))
    assert round_of(10.0, made).readings


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_spread_and_median_are_numbers_whatever_was_seen(values: list[float]) -> None:
    made = Hours()
    for number, value in enumerate(values):
        made.fill(SELECT, LABELS, NOW - (number % 9) * WEEK - (number // 9) * HOUR, value)
    usual = made.usual(SELECT, LABELS, NOW)
    if usual is not None:
        assert 1 <= usual.weeks <= WEEKS
        assert np.isfinite(usual.median) and usual.spread >= 0


def test_hours_survive_a_restart_and_leave_after_eight_weeks(home: Path, keys: KeyStore) -> None:
    made = Hours(home, keys)
    start = NOW - 10 * WEEK
    for week in range(10):
        for minute in (0, 1, 2):
            made.add(SELECT, {LABELS: 50.0 + week}, start + week * WEEK + minute * HOUR / 60)
    again = Hours(home, keys)
    assert again.usual(SELECT, LABELS, NOW) == made.usual(SELECT, LABELS, NOW)
    usual = again.usual(SELECT, LABELS, NOW)
    assert usual is not None and usual.weeks == WEEKS and usual.median == 55.5
    assert not any(b"component" in file.read_bytes() for file in home.glob("state.db*"))
    assert again.before(NOW - 7 * WEEK).usual(SELECT, LABELS, NOW - 7 * WEEK) is not None


def test_a_rule_that_reads_something_else_begins_a_new_history() -> None:
    other = Select(metric="players", over=timedelta(minutes=10))
    assert hours_of(4).usual(other, LABELS, NOW) is None


def test_a_fact_has_no_points_to_look_back_on() -> None:
    fact = {"fact": "requests", "value": "rate"}
    assert Anomaly.model_validate({"select": fact, "season": "week"})
    with pytest.raises(ValueError, match="a fact has no points"):
        Anomaly.model_validate({"select": fact})
    with pytest.raises(ValueError, match="a fact has no points"):
        Forecast.model_validate({"select": fact, "limit": 1, "within": "1h"})


def test_points_that_are_too_few_are_told_as_well() -> None:
    window = Window(minutes=60, max_errors=10, clock=lambda: NOW.replace(tzinfo=UTC))
    row = {"metric": "players", "kind": "gauge", "event_at": NOW, "component": "c", "value": 1.0}
    window.ingest("metric_points", [(1, landed("metric_points", [row]))])
    rule = Rule("Odd", "anomaly", {"when": Anomaly(select=SELECT)}, Severity.WARNING, "s")
    found = evaluate([rule], Sources(window), NOW.replace(tzinfo=UTC))
    assert found.unjudged == {"Odd": "not enough history: 1 of 1 series have fewer than 20 points"}


def test_history_of_a_rule_without_season_is_a_mistake_of_the_test_file(tmp_path: Path) -> None:
    file = tmp_path / "a_test.yaml"
    file.write_text(
        "rule_files: [platform.yaml]\ntests:\n"
        "  - input_history: [{alertname: TelemetryLost, values: '1x3'}]\n"
        "    alert_rule_test: [{eval_time: 1m, alertname: TelemetryLost}]\n"
    )
    with pytest.raises(BadTestFile, match="TelemetryLost is no rule with a season"):
        run_file(file)


def test_a_series_that_began_later_is_none_of_the_hours_before() -> None:
    hours = Hours()
    hours.add(SELECT, {LABELS: 1.0}, NOW)
    before = hours.before(NOW)
    before._tidy(NOW)
    assert before.usual(SELECT, LABELS, NOW) is None
