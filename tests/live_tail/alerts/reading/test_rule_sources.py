"""What rules read: rates with resets, bounds, forecasts, minute counts that survive restarts."""

from datetime import timedelta
from typing import Any

import pytest

from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.evaluate import evaluate
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.rules.rule_spec import Forecast, Select, Sql, Threshold
from live_tail.alerts.trials.promtest import landed
from live_tail.alerts.words.rule_records import Rule, Severity
from live_tail.window.follow import Follower
from live_tail.window.minutes import Minutes
from live_tail.window.rows import point_facts
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
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


def test_series_over_the_bound_are_counted_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_facts, "MAX_SERIES_PER_METRIC", 3)
    window = window_of([point(1, 1.0, attributes=[("n", str(n))]) for n in range(5)])
    assert len(Sources(window).vector(Select(metric="m"), PLAIN)) == 3
    assert window.points.dropped(PLAIN - timedelta(minutes=5), PLAIN) == 2


class _Sending:
    """A window with room for three series of a metric, and whether the shipped rule finds too many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(point_facts, "MAX_SERIES_PER_METRIC", 3)
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
