"""Linear programming over cells and margins, by a reader who wants one person out of published figures.

Noise is drawn by the production mechanism. Each attack is also run against naive k >= 10, where it succeeds:
that proves that it attacks. What a reader does who knows everybody but one is in `test_one_person`.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.optimize import linprog

from privacy.release import Histogram, Mechanism
from privacy.release.cells import Cell
from privacy.release.release_gate import draw
from tests.privacy.release.population import DAY, table_spec

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
