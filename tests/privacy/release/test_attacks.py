"""The attacks of a reader who wants one person out of published engagement figures.

Linear programming over cells and margins; comparing before and after an erasure; knowing everybody
but one. Noise is drawn by the production mechanism. Each attack is also run against naive k >= 10,
where it succeeds: that proves that it attacks.

Where a bound is met exactly, one run in 740 is above it by more than three standard errors by chance
alone. Such a run is repeated once with fresh noise; a mechanism that leaks more fails both.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from privacy.release import Histogram, Mechanism, ReleaseRefused
from privacy.release.cells import Cell, rounded
from privacy.release.gate import draw
from privacy.release.mechanism import noisy
from tests.privacy.release.population import DAY, ROWS, SPEC, gate_of, table_spec

TRIALS = 20_000
SITES = tuple("abcdef")
K = 10
"""Threshold of the naive table, and below it a cell is small."""

Interval = tuple[float, float]
"""What the reader takes a published line to say about the true count."""


def naive_k(counts: np.ndarray, spec: Histogram) -> list[Cell]:
    """k >= 10 as it is commonly done: small lines are blanked, everything else is exact."""
    sums = [*counts.ravel(), counts.sum(), *counts.sum(1), *counts.sum(0)]
    like = draw(counts, spec, DAY).cells
    return [replace(c, count=int(n) if n >= K else None) for c, n in zip(like, sums, strict=True)]


def attacked_tables() -> list[np.ndarray]:
    """Six sites by eight cohorts, one of one per cent and one of four; nobody's cell is empty."""
    chance = np.random.default_rng(17)
    shares = np.array([0.25, 0.2, 0.17, 0.14, 0.11, 0.08, 0.04, 0.01])
    sizes = chance.uniform(150, 500, (44, 6, 1))
    return list(np.maximum(chance.poisson(sizes * shares), 1))


def small_cells(tables: list[np.ndarray]) -> int:
    return sum(int((counts < K).sum()) for counts in tables)


def recovered(
    cells: list[Cell], counts: np.ndarray, reading: Callable[[int], Interval], most: float
) -> int:
    """Small cells that linear programming narrows down to one whole number, and the true one.

    The reader knows 0 <= hidden <= `most` and takes each shown line for `reading(count)`.
    """
    leaves = counts.size
    position = np.arange(leaves).reshape(counts.shape)
    below = [*([i] for i in range(leaves)), position.ravel(), *position, *position.T]
    bounds = [(0.0, most) if c.count is None else reading(c.count) for c in cells[:leaves]]
    matrix, right = [], []
    for cell, inside in zip(cells[leaves:], below[leaves:], strict=True):
        if cell.count is not None:
            row = np.zeros(leaves)
            row[inside] = 1
            low, high = reading(cell.count)
            matrix += [row, -row]
            right += [high, -low]
    found = 0
    for leaf in np.flatnonzero(counts.ravel() < K):
        shown = cells[leaf].count
        if shown is not None:
            found += int(reading(shown) == (counts.flat[leaf],) * 2)
            continue
        goal = np.zeros(leaves)
        goal[leaf] = 1
        low, high = (_extreme(sign * goal, matrix, right, bounds) for sign in (1, -1))
        if low is not None and high is not None:
            least, greatest = math.ceil(low - 1e-6), math.floor(-high + 1e-6)
            found += least == greatest == counts.flat[leaf]
    return found


def _extreme(
    goal: np.ndarray, matrix: list[np.ndarray], right: list[float], bounds: list[Interval]
) -> float | None:
    """The least value of the goal; None when the reader's assumptions contradict each other."""
    solved = linprog(goal, np.asarray(matrix) if matrix else None, right or None, bounds=bounds)
    return float(solved.fun) if solved.status == 0 else None


def exactly(count: int) -> Interval:
    return (count, count)


def within_rounding(count: int) -> Interval:
    return (count - 2, count + 2)


def within_noise(count: int) -> Interval:
    return (count - 8, count + 8)


READERS = [(exactly, math.inf), (exactly, K - 1), (within_rounding, K - 1), (within_noise, K - 1)]


def test_linear_programming_recovers_small_cells_of_naive_k_anonymity() -> None:
    spec, tables = table_spec(sites=SITES), attacked_tables()
    found = sum(recovered(naive_k(t, spec), t, exactly, math.inf) for t in tables)
    assert small_cells(tables) >= 300
    assert found > 0.5 * small_cells(tables)


@pytest.mark.parametrize(("reading", "most"), READERS)
def test_linear_programming_recovers_no_small_cell_of_a_noisy_release(
    reading: Callable[[int], Interval], most: float
) -> None:
    spec, tables = table_spec(sites=SITES), attacked_tables()
    assert small_cells(tables) >= 300
    found = sum(recovered(list(draw(t, spec, DAY).cells), t, reading, most) for t in tables)
    assert found == 0


@pytest.mark.parametrize("most", [math.inf, K - 1])
def test_linear_programming_recovers_no_small_cell_behind_complementary_suppression(
    most: float,
) -> None:
    tables = attacked_tables()
    assert small_cells(tables) >= 300
    shown = 0
    for counts, cells in zip(tables, complementary_tables(), strict=True):
        assert recovered(cells, counts, exactly, most) == 0
        assert all(c.count is None or c.count >= K for c in cells)
        shown += sum(c.count is not None for c in cells)
    # It still publishes most of the table.
    assert shown > 0.5 * sum(len(cells) for cells in complementary_tables())


@cache
def complementary_tables() -> list[list[Cell]]:
    spec = table_spec(sites=SITES, mechanism=Mechanism.K_ANONYMITY)
    return [list(draw(counts, spec, DAY).cells) for counts in attacked_tables()]


def bound(epsilon: float) -> float:
    """How often a reader who guesses one of two neighbouring tables can be right, at most."""
    return math.exp(epsilon) / (1 + math.exp(epsilon))


def assert_within(limit: float, run: Callable[[], float]) -> None:
    """At most the limit plus three standard errors over all trials; repeated once when above."""
    error = 3 * math.sqrt(limit * (1 - limit) / TRIALS)
    accuracies = [run()]
    if accuracies[0] > limit + error:
        accuracies.append(run())
    assert accuracies[-1] <= limit + error, accuracies


def guesses(
    release: Callable[[np.ndarray], np.ndarray], others: int, chance: np.random.Generator
) -> float:
    """Accuracy of a reader who knows all `others` and guesses whether the victim is there.

    In each trial the victim is there or not by a fair coin. The reader learns the best answer to
    every published value from trials of its own, then guesses on fresh ones.
    """
    odds: dict[float, int] = {}
    there = chance.integers(0, 2, TRIALS)
    for value, truth in zip(release(others + there).tolist(), there, strict=True):
        key = -1.0 if math.isnan(value) else value
        odds[key] = odds.get(key, 0) + (1 if truth else -1)
    there = chance.integers(0, 2, TRIALS)
    shown = np.nan_to_num(release(others + there), nan=-1.0)
    guess = np.array([odds.get(value, int(value) - others) > 0 for value in shown.tolist()])
    return float((guess == there).mean())


def exact_k(counts: np.ndarray) -> np.ndarray:
    """One cell of a naive k >= 10 table per trial."""
    return np.where(counts < K, np.nan, counts.astype(float))


def published(epsilon: float) -> Callable[[np.ndarray], np.ndarray]:
    """What is shown of each trial's cell by the production mechanism."""
    return lambda counts: rounded(noisy(counts, epsilon), K, 5)


def raw(epsilon: float) -> Callable[[np.ndarray], np.ndarray]:
    """The noisy count itself, which nobody sees: the bound is met here."""
    return lambda counts: noisy(counts, epsilon).astype(float)


@pytest.mark.parametrize("epsilon", [0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("others", [9, 12, 40])
def test_who_knows_everybody_but_one_stays_within_the_bound(epsilon: float, others: int) -> None:
    chance = np.random.default_rng(others)
    assert_within(bound(epsilon), lambda: guesses(published(epsilon), others, chance))


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_the_noisy_count_itself_meets_the_bound_and_no_more(epsilon: float) -> None:
    """The best guess there is: the victim is there when more than the others are counted."""
    chance, limit = np.random.default_rng(3), bound(epsilon)
    accuracies: list[float] = []

    def run() -> float:
        there = chance.integers(0, 2, TRIALS)
        guess = raw(epsilon)(40 + there) > 40
        accuracies.append(float((guess == there).mean()))
        return accuracies[-1]

    assert_within(limit, run)
    assert accuracies[-1] > limit - 5 * math.sqrt(limit * (1 - limit) / TRIALS)


def test_who_knows_everybody_but_one_is_certain_against_naive_k() -> None:
    chance = np.random.default_rng(4)
    assert guesses(exact_k, 40, chance) == 1.0
    # Even the edge of the threshold tells: 9 is blank, 10 is not.
    assert guesses(exact_k, 9, chance) == 1.0


def erasure_accuracy(release: Callable[[np.ndarray], np.ndarray]) -> float:
    """Was the erased person in this cell? The reader compares a table before and one after.

    The other people of the cell are many and not known; the victim was in it by a fair coin.
    """
    chance = np.random.default_rng(6)
    others, there = chance.integers(20, 60, TRIALS), chance.integers(0, 2, TRIALS)
    gone = np.nan_to_num(release(others + there)) - np.nan_to_num(release(others))
    return float(((gone > 0) == there).mean())


def test_comparing_before_and_after_an_erasure_is_certain_against_naive_k() -> None:
    assert erasure_accuracy(exact_k) == 1.0


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_a_second_noisy_table_would_stay_within_the_bound_of_two_releases(epsilon: float) -> None:
    assert_within(bound(2 * epsilon), lambda: erasure_accuracy(published(epsilon)))
    assert_within(bound(2 * epsilon), lambda: erasure_accuracy(raw(epsilon)))


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_without_a_second_table_an_erasure_tells_no_more_than_one_release(epsilon: float) -> None:
    """Published once: the reader has the first table and knows all others besides."""
    chance = np.random.default_rng(7)
    assert_within(bound(epsilon), lambda: guesses(published(epsilon), 25, chance))


def test_a_second_draw_of_the_same_period_would_break_the_bound_of_one() -> None:
    """Why each period is published once: three draws tell more, sixteen more than eps 1 would."""
    limit, chance = bound(0.5), np.random.default_rng(11)
    error = 3 * math.sqrt(limit * (1 - limit) / TRIALS)

    def averaged(draws: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda counts: np.mean([noisy(counts, 0.5) for _ in range(draws)], axis=0)

    there = chance.integers(0, 2, TRIALS)
    accuracy = {
        draws: float(((averaged(draws)(40 + there) > 40.5) == there).mean()) for draws in (3, 16)
    }
    assert accuracy[3] > limit + error
    assert accuracy[16] > bound(1.0)


def test_the_gate_gives_who_waits_for_an_erasure_no_second_table(home: Path) -> None:
    gate = gate_of(home)
    before = gate.release(ROWS, SPEC, DAY)
    erased = ROWS.filter(ROWS["subject"] != "p_0")
    with pytest.raises(ReleaseRefused, match="published already"):
        gate.release(erased, SPEC, DAY)
    after = gate.ledger.find(SPEC.mart, DAY)
    assert after is not None and after.counts.equals(before.counts)
