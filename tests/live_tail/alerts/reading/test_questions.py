"""How rules ask: rounds, files that change, and the short question that has the answer of the long one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from live_tail.alerts.reading import hot_tables, outages
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.evaluate import evaluate
from live_tail.alerts.rules.rounds import INVALID, DueRounds
from live_tail.alerts.rules.rule_files import RuleFolders
from live_tail.alerts.rules.rule_spec import Select, Threshold
from live_tail.alerts.trials.promtest import landed
from tests.live_tail.alerts.reading.test_rule_sources import PLAIN, point, rule, window_of
from tests.live_tail.test_live_tail import NOW, Clock


def test_a_wrong_rule_file_raises_its_own_alert_and_rules_follow_their_files(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.yaml"
    text = "rules:\n- {name: Mine, kind: threshold, severity: info, summary: s, every: 1s, when: {value: {metric: m}, compare: '> LIMIT'}}\n"
    file.write_text(text.replace("LIMIT", "1"))
    clock = Clock()
    due = DueRounds(
        Sources(window_of([point(1, 9.0)])),
        RuleFolders([tmp_path]),
        clock=clock,
        monotonic=lambda: clock().timestamp(),
    )

    def names() -> set[str]:
        clock.now += timedelta(seconds=2)
        assert due.is_due()
        return {r.rule for r in due.make()[0].readings}

    assert names() == {"Mine"}
    file.write_text("rules: [")
    assert names() == {"Mine", INVALID.name}
    file.write_text(text.replace("LIMIT", "10"))
    assert names() == set()


def test_times_are_utc_whatever_the_zone_of_the_round() -> None:
    window = window_of([point(1, 9.0)])
    good = rule("threshold", Threshold.model_validate({"value": {"metric": "m"}, "compare": "> 1"}))
    elsewhere = NOW.astimezone(datetime.now(UTC).astimezone().tzinfo)
    assert len(evaluate([good], Sources(window), elsewhere).readings) == 1


def test_while_nothing_is_bad_the_short_question_has_the_answer_of_the_long_one() -> None:
    up: dict[str, Any] = {"metric": "tta_service_up", "component": "health-check"}
    rows = [point(60, 1.0, **up, attributes={"service": name}) for name in ("redis", "postgres")]
    window = window_of(rows)
    (quick, tables), (full, more) = outages._BAD, outages._DOWN
    short = hot_tables.asked(window, tables, quick, {"at": PLAIN})
    long = hot_tables.asked(window, more, full, {"at": PLAIN})
    assert sorted(short) == sorted(long) == [("postgres", 0), ("redis", 0)]


def test_a_dependency_that_is_down_is_found_by_the_long_question() -> None:
    up: dict[str, Any] = {"metric": "tta_service_up", "component": "health-check"}
    rows = [
        point(60, value, **up, attributes={"service": name})
        for name, value in (("redis", 0.0), ("postgres", 1.0))
    ]
    found = Sources(window_of(rows)).vector(Select(fact="dependency_down", value="last"), PLAIN)
    assert {dict(labels)["dependency"]: value for labels, value in found.items()} == {
        "redis": 1.0,
        "postgres": 0.0,
    }


def test_rules_that_are_judged_together_ask_each_question_once() -> None:
    up: dict[str, Any] = {"metric": "tta_service_up", "component": "health-check"}
    window = window_of([point(60, 1.0, **up, attributes={"service": "redis"})])
    together = Sources(window).for_one_look()
    before = together.minutes(PLAIN, timedelta(minutes=5))
    again = point(30, 1.0, **up, attributes={"service": "redis"})
    window.ingest("metric_points", [(2, landed("metric_points", [again]))])
    assert together.minutes(PLAIN, timedelta(minutes=5)) == before
    assert Sources(window).for_one_look().minutes(PLAIN, timedelta(minutes=5)) != before
