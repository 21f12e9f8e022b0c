"""What rules read: rates with resets, histograms, bounds, minute counts that survive restarts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.importing.promql import translate
from live_tail.alerts.rules import facts
from live_tail.alerts.rules.evaluate import evaluate
from live_tail.alerts.rules.rounds import INVALID, DueRounds
from live_tail.alerts.rules.rule_files import SHIPPED, RuleFolders, load_rules
from live_tail.alerts.rules.sources import Sources
from live_tail.alerts.rules.spec import Forecast, Select, Sql, Threshold
from live_tail.alerts.trials.promtest import landed
from live_tail.alerts.words.model import Rule, Severity
from live_tail.window import points
from live_tail.window.follow import Follower
from live_tail.window.minutes import Minutes
from live_tail.window.window import Window
from privacy.keys.store import KeyStore
from tests.live_tail.test_live_tail import NOW, Clock, request_body

PLAIN = NOW.replace(tzinfo=None)


def window_of(rows: list[dict[str, Any]]) -> Window:
    window = Window(minutes=60, max_errors=10, clock=Clock())
    window.ingest("metric_points", [(1, landed("metric_points", rows))])
    return window


def point(seconds_ago: float, value: float | None = None, **more: Any) -> dict[str, Any]:
    at = PLAIN - timedelta(seconds=seconds_ago)
    return {
        "metric": "m",
        "kind": "gauge",
        "event_at": at,
        "component": "c",
        "value": value,
        **more,
    }


def counter(seconds_ago: float, value: float, **more: Any) -> dict[str, Any]:
    return point(
        seconds_ago, value, kind="sum", temporality="cumulative", is_monotonic=True, **more
    )


def value_of(window: Window, **select: Any) -> float | None:
    found = Sources(window).vector(Select(**{"metric": "m", **select}), PLAIN)
    assert len(found) <= 1
    return next(iter(found.values()), None)


def test_an_increase_counts_what_came_after_a_restart() -> None:
    rows = [counter(400, 100), counter(200, 110), counter(100, 4), counter(10, 6)]
    assert value_of(window_of(rows), value="increase", over="5m") == 10 + 4 + 2


def test_a_restart_that_caught_up_is_seen_by_its_start_time() -> None:
    began = PLAIN - timedelta(seconds=150)
    rows = [counter(400, 100), counter(200, 100), counter(100, 120, start_at=began)]
    assert value_of(window_of(rows), value="increase", over="5m") == 120


def test_a_counter_born_within_the_span_counts_from_zero() -> None:
    began = PLAIN - timedelta(seconds=60)
    assert value_of(window_of([counter(10, 7, start_at=began)]), value="increase") == 7
    assert value_of(window_of([counter(10, 7)]), value="increase") == 0


def test_a_machine_without_a_name_is_told_by_what_measures_it() -> None:
    rows = [point(10, 0.9, metric="system.cpu.utilization", component="host-3"), point(10, 1.0)]
    window = window_of(rows)
    hosts = {one.metric: one.labels.get("host") for one in window.points.series}
    assert hosts == {"system.cpu.utilization": "host-3", "m": None}


def test_deltas_add_up() -> None:
    rows = [
        point(s, 5.0, kind="sum", temporality="delta", is_monotonic=True) for s in (20, 40, 700)
    ]
    assert value_of(window_of(rows), value="increase") == 10


def test_quantile_and_mean_of_a_cumulative_histogram() -> None:
    shape = {"kind": "histogram", "temporality": "cumulative", "explicit_bounds": [1.0, 2.0]}
    rows = [
        point(400, bucket_counts=[100, 0, 0], point_count=100, point_sum=50.0, **shape),
        point(10, bucket_counts=[100, 10, 0], point_count=110, point_sum=65.0, **shape),
    ]
    window = window_of(rows)
    assert value_of(window, value="p50") == pytest.approx(1.5)
    assert value_of(window, value="mean") == pytest.approx(1.5)
    assert value_of(window, value="rate", over="5m") == pytest.approx(10 / 300)


def _latency(*others: dict[str, Any]) -> Window:
    shape = {"kind": "histogram", "temporality": "cumulative", "explicit_bounds": [0.5, 2.0],
             "attributes": [("route", "/a")]}  # fmt: skip
    return window_of(
        [
            *others,
            point(400, bucket_counts=[100, 0, 0], point_count=100, point_sum=50.0, **shape),
            point(10, bucket_counts=[130, 60, 60], point_count=250, point_sum=350.0, **shape),
        ]
    )


def _by_labels(window: Window, **select: Any) -> dict[tuple[str, ...], float]:
    found = Sources(window).vector(Select(**select), PLAIN)
    return {tuple(v for k, v in labels if k != "component"): n for labels, n in found.items()}


def test_the_parts_of_a_histogram_are_found_by_the_names_that_promql_gives_them() -> None:
    window = _latency()
    rate = {"value": "rate", "over": "5m"}
    assert _by_labels(window, metric="m_count", **rate) == {("/a",): 150 / 300}
    assert _by_labels(window, metric="m_sum", **rate) == {("/a",): 300 / 300}
    assert _by_labels(window, metric="m_count") == {("/a",): 250}
    assert _by_labels(window, metric="m_sum", where={"route": "!/a"}) == {}
    assert _by_labels(window, metric="m_bucket", value="increase") == {
        ("0.5", "/a"): 30, ("2", "/a"): 90, ("+Inf", "/a"): 150,
    }  # fmt: skip
    assert _by_labels(window, metric="m_bucket", by=["le"], where={"le": "~0.5|2"}) == {
        ("0.5",): 130, ("2",): 190,
    }  # fmt: skip


@pytest.mark.parametrize("bound", ["2", "2.0", "2e0"])
def test_a_bucket_is_chosen_by_its_bound_however_it_is_written(bound: str) -> None:
    share = {
        "op": "divide",
        "left": {"metric": "m_bucket", "where": {"le": bound}, "value": "rate"},
        "right": {"metric": "m_bucket", "where": {"le": "+Inf"}, "value": "rate"},
    }
    when = Threshold.model_validate({"value": share, "compare": "< 0.9"})
    (reading,) = evaluate([rule("threshold", when)], Sources(_latency()), NOW).readings
    assert (reading.value, dict(reading.labels)["route"]) == (0.6, "/a")


def test_a_counter_whose_own_name_ends_like_a_part_is_itself() -> None:
    window = window_of([counter(1, 7, metric="jobs_count"), point(1, 1, metric="jobs")])
    assert _by_labels(window, metric="jobs_count") == {(): 7}
    assert _by_labels(window, metric="jobs_sum") == {}


def test_a_counter_named_like_a_part_hides_no_histogram_of_another_sender() -> None:
    named = {"metric": "m_count", "component": "other"}
    window = _latency(counter(400, 1, **named), counter(10, 31, **named))
    rate = {"value": "rate", "over": "5m"}
    for select, expected in (
        (rate, {(): 30 / 300, ("/a",): 150 / 300}),
        ({}, {(): 31, ("/a",): 250}),
        ({"where": {"route": "/a"}}, {("/a",): 250}),
        ({"where": {"component": "other"}}, {(): 31}),
        ({"value": "max"}, {(): 31}),  # a part of a histogram has no max, the counter has
    ):
        assert _by_labels(window, metric="m_count", **select) == expected
    assert value_of(window, metric="m_count", by=[], **rate) == 180 / 300
    assert _by_labels(window, metric="m_sum", **rate) == {("/a",): 300 / 300}


def test_a_counter_named_like_a_part_of_the_same_sender_is_not_added_to_it() -> None:
    window = _latency(counter(10, 7, metric="m_count", attributes=[("route", "/a")]))
    assert _by_labels(window, metric="m_count") == {("/a",): 7}
    assert _by_labels(window, metric="m_count", value="max") == {("/a",): 7}


def test_an_imported_rule_sees_a_counter_and_a_histogram_of_the_name_it_asks_for() -> None:
    kind, when = translate("rate(m_count[5m]) > 0")
    named = {"metric": "m_count", "component": "other"}
    window = _latency(counter(400, 1, **named), counter(10, 31, **named))
    one = rule(kind, Threshold.model_validate(when))
    fired = {dict(r.labels)["component"] for r in evaluate([one], Sources(window), NOW).readings}
    assert fired == {"c", "other"}


def test_what_a_part_has_no_value_for_fails_and_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="has no max"):
        _by_labels(_latency(), metric="m_count", value="max")


def test_a_summary_has_its_quantiles_count_and_sum() -> None:
    quantiles = [{"quantile": 0.5, "value": 0.5}, {"quantile": 1.0, "value": 7.0}]
    rows = [
        point(ago, kind="summary", point_count=n, point_sum=2.0 * n, quantiles=quantiles)
        for ago, n in ((100, 10), (10, 40))
    ]
    window = window_of(rows)
    for text in ("1", "1.0"):
        assert _by_labels(window, metric="m", where={"quantile": text}) == {("1",): 7}
    assert _by_labels(window, metric="m_count", value="increase") == {(): 30}
    assert _by_labels(window, metric="m_sum", value="rate", over="5m") == {(): 60 / 300}


def test_series_over_the_bound_are_counted_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "MAX_SERIES_PER_METRIC", 3)
    window = window_of([point(1, 1.0, attributes=[("n", str(n))]) for n in range(5)])
    assert len(Sources(window).vector(Select(metric="m"), PLAIN)) == 3
    assert window.points.dropped(PLAIN - timedelta(minutes=5), PLAIN) == 2


class _Sending:
    """A window with room for three series of a metric, and whether the shipped rule finds too many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(points, "MAX_SERIES_PER_METRIC", 3)
        (self._rule,) = [r for r in load_rules([SHIPPED]) if r.name == "TooManySeries"]
        self._minute, self._seq = 0, 0
        self._window = Window(minutes=60, max_errors=10, clock=lambda: NOW + self._later)

    @property
    def _later(self) -> timedelta:
        return timedelta(minutes=self._minute)

    def is_too_much(self, minute: int, *names: str) -> bool:
        self._minute, self._seq = minute, self._seq + 1
        rows = [point(-60.0 * minute, 1.0, attributes=[("n", name)]) for name in names]
        if rows:
            self._window.ingest("metric_points", [(self._seq, landed("metric_points", rows))])
        self._window.tidy()
        return bool(evaluate([self._rule], Sources(self._window), NOW + self._later).readings)


def test_too_many_series_ends_when_the_one_too_many_is_sent_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending = _Sending(monkeypatch)
    assert not sending.is_too_much(0, *"abc")
    assert sending.is_too_much(1, *"abcd")
    assert sending.is_too_much(4, *"abc")
    assert not sending.is_too_much(8, *"abc")


def test_too_many_series_ends_when_others_have_left_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending = _Sending(monkeypatch)
    sending.is_too_much(0, *"abc")
    found = [sending.is_too_much(minute, "d") for minute in range(1, 75)]
    assert all(found[:59]) and not any(found[70:])
    assert sending.is_too_much(75, *"abcd") is True


def test_merging_old_points_changes_no_increase() -> None:
    window = window_of([counter(s, 10_000 - s) for s in range(0, 1_800, 7)])
    before = value_of(window, value="increase", over="25m")
    window.tidy()
    assert value_of(window, value="increase", over="25m") == pytest.approx(before, abs=60)
    assert window.cursor().execute("SELECT count(*) FROM hot_points").fetchall()[0][0] < 200


def rule(kind: str, when: Any) -> Rule:
    return Rule("R", kind, {"when": when}, Severity.INFO, "s")


def test_a_rule_that_fails_is_unknown_and_stops_no_other() -> None:
    window = window_of([point(1, 9.0)])
    good = rule("threshold", Threshold.model_validate({"value": {"metric": "m"}, "compare": "> 1"}))
    bad = Rule("Bad", "sql", {"when": Sql(query="SELECT nope", compare="> 1")}, Severity.INFO, "s")
    found = evaluate([bad, good], Sources(window), NOW)
    assert [r.rule for r in found.readings] == ["R"]
    assert found.failed == {"Bad": "BinderException"}


def test_an_sql_rule_is_stopped_when_it_takes_too_long_or_gives_too_much() -> None:
    window = window_of([])
    slow = "SELECT count(*) AS value FROM range(100000) a, range(100000) b WHERE a.range < b.range"
    many = "SELECT range AS value FROM range(50)"
    for when in (
        Sql(query=slow, compare="> 1", max_s=0.1),
        Sql(query=many, compare="> 1", max_rows=10),
    ):
        assert evaluate([rule("sql", when)], Sources(window), NOW).failed


@pytest.mark.parametrize(
    ("method", "low_s", "high_s"), [("theil_sen", 800, 1_000), ("damped_holt", 960, 3_600)]
)
def test_a_forecast_follows_what_came_after_the_last_reset(
    method: str, low_s: float, high_s: float
) -> None:
    saw = [0.9 - 0.01 * n for n in range(5)][::-1] + [0.1 + 0.02 * n for n in range(20)]
    rows = [point(60 * (len(saw) - n), v) for n, v in enumerate(saw)]
    when = Forecast(
        select=Select(metric="m", over="1h"), limit=0.8, within="1h", method=method, min_points=10
    )
    (reading,) = evaluate([rule("forecast", when)], Sources(window_of(rows)), NOW).readings
    assert low_s <= reading.value <= high_s


def minutes(window: Window) -> list[tuple[Any, ...]]:
    return (
        window.cursor()
        .execute(
            "SELECT minute_at, component, source, sum(good), sum(total) FROM hot_minutes"
            " GROUP BY ALL ORDER BY ALL"
        )
        .fetchall()
    )


def test_minute_counts_are_exact_across_restarts_and_replays(
    pipeline: Pipeline, settings: Settings, keys: KeyStore
) -> None:
    clock = Clock()

    def start() -> tuple[Window, Follower]:
        window = Window(
            minutes=60, max_errors=10, clock=clock, history=Minutes(settings.home, keys)
        )
        return window, Follower(Spool(settings.spool_path, keys), window)

    def send(numbers: range) -> None:
        for number in numbers:
            status = 500 if number % 3 == 0 else 200
            at = NOW - timedelta(minutes=number)
            body = request_body(number, at, status=status)
            pipeline.process([Incoming("spans", body)])
            pipeline.process([Incoming("spans", body + b"\xc0\x3e\x01")])

    send(range(4))
    window, follower = start()
    follower.step()
    window.tidy()
    expected = minutes(window)
    assert sum(row[4] for row in expected) == 4
    again, follower = start()
    follower.step()
    assert minutes(again) == expected
    # Killed before it wrote these: they come again from the spool, and only they.
    send(range(4, 7))
    follower.step()
    third, follower = start()
    clock.now = NOW + timedelta(hours=2)
    follower.step()
    assert sum(row[4] for row in minutes(third)) == 7
    assert sum(row[3] for row in minutes(third)) == 4


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
    (quick, tables), (full, more) = facts._BAD, facts._DOWN
    short = facts.asked(window, tables, quick, {"at": PLAIN})
    long = facts.asked(window, more, full, {"at": PLAIN})
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
