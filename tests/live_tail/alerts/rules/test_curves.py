"""Curves of alerts: the rule's own value over time, in its unit, with the threshold that it crossed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.curve_sampling import sampling
from live_tail.alerts.rules.curve_units import Scale, of_expression
from live_tail.alerts.rules.curves import Curve, Curves
from live_tail.alerts.rules.rule_spec import KINDS, Threshold
from live_tail.alerts.trials.promtest import landed
from live_tail.alerts.words.life_records import Alert, State
from live_tail.alerts.words.rule_records import Rule, Severity, labels_of
from live_tail.window.window import Window
from tests.live_tail.test_live_tail import NOW, Clock

REACH = timedelta(minutes=60)


def rule(kind: str, **when: Any) -> Rule:
    return Rule("Wrong", kind, {"when": KINDS[kind](**when)}, Severity.WARNING, "It is wrong")


def alert(seconds_ago: float, **labels: str) -> Alert:
    begun = NOW - timedelta(seconds=seconds_ago)
    return Alert(
        "f" * 16, "Wrong", labels_of(labels), Severity.WARNING, State.FIRING, begun, fired_at=begun
    )


def gauges(values: Sequence[float], name: str = "disk.utilization") -> Window:
    """The last values of a metric, one every ten seconds up to now."""
    plain = NOW.replace(tzinfo=None)
    rows = [
        {
            "metric": name, "kind": "gauge", "component": "c", "value": value,
            "event_at": plain - timedelta(seconds=10 * n),
        }
        for n, value in enumerate(reversed(values))
    ]  # fmt: skip
    window = Window(minutes=60, max_errors=10, clock=Clock())
    window.ingest("metric_points", [(1, landed("metric_points", rows))])
    return window


def curve(window: Window, made: Rule, about: Alert) -> Curve | None:
    return Curves(Sources(window), lambda: [made], REACH).of(about, NOW)


def test_a_curve_is_the_rules_own_value_around_its_start_with_its_threshold() -> None:
    value = {"metric": "disk.utilization", "by": ["component"], "over": "20s"}
    made = rule("threshold", value=value, compare="> 0.8")
    found = curve(gauges([0.5] * 30 + [0.9] * 12), made, alert(120, component="c"))
    assert found is not None
    assert (found.unit, found.symbol, found.threshold) == ("%", ">", 80.0)
    known = [value for _, value in found.points if value is not None]
    assert known[0] == pytest.approx(50) and known[-1] == pytest.approx(90)
    first, last = found.points[0][0], found.points[-1][0]
    assert NOW - timedelta(seconds=120 + 600) <= first and last <= NOW


def test_where_nothing_was_measured_the_curve_has_a_gap_and_not_a_zero() -> None:
    value = {"metric": "disk.utilization", "by": ["component"], "over": "20s"}
    made = rule("threshold", value=value, compare="> 0.8")
    found = curve(gauges([0.9] * 6), made, alert(30, component="c"))
    assert found is not None
    assert found.points[0][1] is None and 0.0 not in [value for _, value in found.points]


def test_a_moment_that_could_not_be_read_is_said_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rule(
        "threshold", value={"metric": "disk.utilization", "by": ["component"]}, compare="> 0.8"
    )
    curves = Curves(Sources(gauges([0.9] * 60)), lambda: [made], REACH)

    def broken(*given: Any) -> Any:
        found = sampling(*given)
        return found and replace(found, at=lambda _: {}[1])

    with monkeypatch.context() as patch:
        patch.setattr("live_tail.alerts.rules.curves.sampling", broken)
        found = curves.of(alert(300, component="c"), NOW)
        assert found is None or {value for _, value in found.points} == {None}
    assert "cannot be read" in capsys.readouterr().err and not curves._known
    again = curves.of(alert(300, component="c"), NOW)
    assert again is not None and 90 in [round(value) for _, value in again.points if value]


def test_another_series_of_the_rule_and_a_rule_that_is_gone_have_no_curve() -> None:
    window = gauges([0.9] * 6)
    made = rule(
        "threshold", value={"metric": "disk.utilization", "by": ["component"]}, compare="> 0.8"
    )
    assert curve(window, made, alert(30, component="other")) is None
    assert Curves(Sources(window), list, REACH).of(alert(30, component="c"), NOW) is None


def test_what_is_only_up_or_down_is_drawn_as_what_failed() -> None:
    window = Window(minutes=60, max_errors=10, clock=Clock())
    made = rule("threshold", value={"fact": "dependency_down", "by": ["dependency"]}, compare="> 0")
    assert curve(window, made, alert(60, dependency="redis")) is not None
    found = curve(window, made, alert(60, dependency="redis"))
    assert found and found.threshold is None and found.unit == "failed calls and probes"


@pytest.mark.parametrize(
    ("value", "scale"),
    [
        ({"fact": "requests", "value": "p95", "over": "2m"}, Scale("ms", 1, "p95 of requests in 2 min")),
        ({"fact": "ai_calls", "value": "rate", "over": "1m"}, Scale("/s", 1, "AI calls per second in 1 min")),
        (
            {"op": "divide", "left": {"metric": "heap_used_bytes"}, "right": {"metric": "heap_max_bytes"}},
            Scale("%", 100, "heap_used_bytes of heap_max_bytes"),
        ),
        (
            {"op": "multiply", "left": 100, "right": {"metric": "system.cpu.utilization"}},
            Scale("%", 1, "system.cpu.utilization"),
        ),
    ],
)  # fmt: skip
def test_a_value_has_the_unit_in_which_people_read_it(value: dict[str, Any], scale: Scale) -> None:
    assert (
        of_expression(Threshold.model_validate({"value": value, "compare": "> 1"}).value) == scale
    )
