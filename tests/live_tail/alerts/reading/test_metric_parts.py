"""The parts of histograms and summaries, by the names that PromQL gives them."""

from typing import Any

import pytest

from live_tail.alerts.importing.promql import translate
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.evaluate import evaluate
from live_tail.alerts.rules.rule_spec import Select, Threshold
from live_tail.window.window import Window
from tests.live_tail.alerts.reading.test_rule_sources import (
    PLAIN,
    counter,
    point,
    rule,
    value_of,
    window_of,
)
from tests.live_tail.test_live_tail import NOW


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
