"""What is shown of a noisy histogram: threshold, rounding, margins, intervals, statistics."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from privacy.release import Dimension, Histogram, PeriodKind, Statistic
from privacy.release.cells import published_cells
from privacy.release.mechanism import (
    MechanismProblem,
    discrete_laplace,
    half_width,
    measurement,
    noisy,
)
from privacy.release.release_gate import draw
from privacy.release.statistics import figures
from tests.privacy.release.population import DAY, rows_of, skewed_counts, table_spec

NOISY = arrays.arrays(np.int64, (4, 8), elements=st.integers(-60, 2**45))
ENGAGEMENT = Histogram(
    "monthly",
    PeriodKind.MONTH,
    (
        Dimension("done", ("completed", "abandoned")),
        Dimension.of_edges("minutes", (0, 5, 10, 15, 20, 30, 45, 60, 90)),
        Dimension.of_edges("progress", (0, 20, 40, 60, 80, 100)),
    ),
    0.5,
    statistics=(
        Statistic("quantile", "minutes"),
        Statistic("rate", "done", value="completed", by=("progress",)),
        Statistic("correlation", "minutes", other_dimension="progress", min_count=500),
    ),
)


@pytest.mark.parametrize("epsilon", [0.1, 0.25, 0.3, 0.5, 0.7, 1.0, 1e-3, 10])
def test_one_person_costs_exactly_epsilon_by_the_library_s_own_account(epsilon: float) -> None:
    loss = measurement(epsilon).map(1)
    assert loss <= epsilon
    assert math.isclose(loss, epsilon, rel_tol=1e-9)
    assert measurement(epsilon).map(2) > 1.9 * epsilon


def test_a_scale_that_does_not_give_epsilon_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacy.release.mechanism.SENSITIVITY", 2)
    measurement.cache_clear()
    monkeypatch.setattr("privacy.release.mechanism.math.isclose", lambda *a, **k: False)
    with pytest.raises(MechanismProblem, match="not released"):
        measurement(0.5)
    measurement.cache_clear()


def test_noise_is_integer_unbounded_below_and_of_the_stated_scale() -> None:
    drawn = noisy(np.zeros((100, 200), np.int64), 0.5)
    a = math.exp(-0.5)
    assert drawn.dtype == np.int64 and drawn.shape == (100, 200) and drawn.min() < 0
    expected = math.sqrt(2 * a) / (1 - a)
    assert drawn.std() == pytest.approx(expected, rel=0.06)
    assert (drawn == 0).mean() == pytest.approx((1 - a) / (1 + a), abs=0.02)
    stand_in = discrete_laplace(0.5, (100, 200), np.random.default_rng(1))
    assert stand_in.std() == pytest.approx(expected, rel=0.06)


def test_huge_counts_keep_their_size() -> None:
    huge = np.array([2**60, 2**40, 0])
    assert np.abs(noisy(huge, 0.5) - huge).max() < 200


@given(NOISY)
def test_nothing_shown_is_small_or_negative_and_nothing_hidden_is_a_number(
    drawn: np.ndarray,
) -> None:
    spec = table_spec()
    cells = published_cells(drawn, spec)
    assert len(cells) == 4 * 8 + 1 + 4 + 8
    for cell in cells:
        assert (cell.count is None) == (cell.reason is not None)
        assert cell.count is None or (cell.count >= spec.threshold and cell.count % 5 == 0)
        assert 0 <= cell.low <= (cell.low if cell.count is None else cell.count) <= cell.high
    for cell, value in zip(cells, drawn.ravel(), strict=False):
        assert (cell.count is None) == (value < spec.threshold)


@given(NOISY)
def test_margins_are_the_sum_of_what_is_shown_below_them(drawn: np.ndarray) -> None:
    cells = published_cells(drawn, table_spec())
    leaves = [cell for cell in cells if cell.level == "site, cohort"]
    for margin in cells[len(leaves) :]:
        below = [leaf for leaf in leaves if margin.where.items() <= leaf.where.items()]
        shown = [leaf.count for leaf in below if leaf.count is not None]
        assert margin.count == (sum(shown) if shown else None)
        assert margin.suppressed_cells == len(below) - len(shown)


@settings(max_examples=25)
@given(st.integers(1, 12), st.integers(2, 11), st.integers(0, 300))
def test_any_threshold_and_rounding_keep_shown_counts_at_the_threshold(
    rounding: int, more: int, noisy_count: int
) -> None:
    spec = Histogram(
        "one", PeriodKind.DAY, (Dimension("site", ("a",), None),), 1.0, margins=(),
        threshold=rounding + more, rounding=rounding,
    )  # fmt: skip
    cell = published_cells(np.array([noisy_count]), spec)[0]
    if cell.count is not None:
        assert cell.count >= spec.threshold and cell.count % rounding == 0
        assert abs(cell.count - noisy_count) <= rounding


def test_intervals_hold_the_truth_in_95_of_100() -> None:
    spec, chance = table_spec(epsilon=0.25), np.random.default_rng(5)
    held: dict[str, list[bool]] = {}
    for _ in range(150):
        counts = skewed_counts(chance, spec.shape)
        truth = [*counts.ravel(), counts.sum(), *counts.sum(1), *counts.sum(0)]
        for cell, true in zip(published_cells(noisy(counts, 0.25), spec), truth, strict=True):
            held.setdefault(cell.level, []).append(cell.low <= true <= cell.high)
    for level, kept in held.items():
        error = 3 * math.sqrt(0.95 * 0.05 / len(kept))
        assert np.mean(kept) >= 0.95 - error, level


def test_wide_sums_use_the_normal_distribution_and_agree_with_the_exact_one() -> None:
    exact, approximate = half_width(0.5, 200, 200, 5), half_width(0.5, 201, 201, 5)
    assert approximate == pytest.approx(exact, rel=0.03)


def engagement(chance: np.random.Generator, people: int) -> tuple[np.ndarray, dict[str, float]]:
    """Counts of people with minutes and progress that go together, and the exact figures."""
    minutes = np.minimum(chance.gamma(2, 12, people), 89.9)
    progress = np.clip(minutes * 0.8 + chance.normal(30, 18, people), 0, 99.9)
    done = chance.random(people) < 0.7
    edges = [np.asarray(d.edges) for d in ENGAGEMENT.dimensions[1:]]
    at = [
        np.searchsorted(e, v, side="right") - 1
        for e, v in zip(edges, (minutes, progress), strict=True)
    ]
    counts = np.zeros(ENGAGEMENT.shape, np.int64)
    np.add.at(counts, (np.where(done, 0, 1), *at), 1)
    scores = [np.asarray(d.scores) for d in ENGAGEMENT.dimensions[1:]]
    r = np.corrcoef(scores[0][at[0]], scores[1][at[1]])[0, 1]
    return counts, {
        "quantile_0.5": float(np.median(minutes)),
        "correlation_with_progress": float(r),
    }


def test_statistics_come_near_the_exact_ones_and_their_intervals_hold_the_noise() -> None:
    chance = np.random.default_rng(8)
    held: dict[str, list[bool]] = {}
    for trial in range(60):
        counts, _ = engagement(chance, 1_900)
        exact = {f.statistic + str(f.where): f.value for f in _noiseless(counts)}
        for figure in figures(noisy(counts, 0.5), ENGAGEMENT, trial):
            name = figure.statistic + str(figure.where)
            if figure.value is not None and exact[name] is not None:
                step = 0.25 if figure.statistic.startswith("quantile") else 0.01
                inside = figure.low - step <= exact[name] <= figure.high + step
                held.setdefault(figure.statistic, []).append(inside)
    assert set(held) == {"quantile_0.5", "rate_completed", "correlation_with_progress"}
    for name, kept in held.items():
        assert np.mean(kept) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / len(kept)), name


def _noiseless(counts: np.ndarray) -> list:
    return figures(counts, ENGAGEMENT, 1)


def test_statistics_without_noise_are_those_of_the_people() -> None:
    counts, exact = engagement(np.random.default_rng(9), 50_000)
    found = {f.statistic: f.value for f in _noiseless(counts) if not f.where}
    assert found["quantile_0.5"] == pytest.approx(exact["quantile_0.5"], abs=0.5)
    assert found["correlation_with_progress"] == pytest.approx(
        exact["correlation_with_progress"], abs=0.01
    )


def test_too_few_people_give_no_statistic_but_a_reason() -> None:
    found = figures(np.zeros(ENGAGEMENT.shape, np.int64), ENGAGEMENT, 1)
    assert len(found) == 1 + 6 + 1
    assert all(f.value is f.low is f.high is None and "fewer than" in f.reason for f in found)


def test_counts_that_do_not_determine_a_figure_say_so() -> None:
    counts = np.zeros(ENGAGEMENT.shape, np.int64)
    counts[0, 0, 0] = 5_000
    correlation = next(f for f in _noiseless(counts) if f.statistic.startswith("corr"))
    assert correlation.value is None or abs(correlation.value) <= 1
    wide = next(f for f in _noiseless(counts) if f.statistic.startswith("quantile"))
    assert 0 <= wide.low <= wide.value <= wide.high <= 5.25


def test_intervals_are_the_same_when_computed_again() -> None:
    counts, _ = engagement(np.random.default_rng(3), 2_000)
    assert figures(counts, ENGAGEMENT, 7) == figures(counts, ENGAGEMENT, 7)


def test_a_result_holds_nothing_but_what_is_published() -> None:
    spec = table_spec()
    counts = skewed_counts(np.random.default_rng(2), spec.shape)
    text = json.dumps(draw(counts, spec, DAY).record())
    assert set(json.loads(text)) == {"mart", "period", "dimensions", "limits", "cells", "figures"}
    assert "p_" not in text and len(rows_of(counts, spec)) == counts.sum()
