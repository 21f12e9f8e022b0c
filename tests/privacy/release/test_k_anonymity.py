"""Complementary suppression: no hidden line can be worked out within its table; what it cannot do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from privacy.release import Dimension, Histogram, Mechanism, PeriodKind, ReleaseProblem
from privacy.release.cells import Cell
from privacy.release.k_anonymity import HIDDEN, protected_cells
from privacy.release.protection import Puzzle, narrow
from tests.privacy.release.population import table_spec

SPEC = table_spec(sites=("a", "b", "c"), cohorts=("A", "B", "C"), mechanism=Mechanism.K_ANONYMITY)
COUNTS = arrays.arrays(
    np.int64, (3, 3), elements=st.one_of(st.integers(0, 12), st.integers(0, 400), st.just(0))
)


def seen(counts: np.ndarray, cells: list[Cell]) -> Puzzle:
    """The table as a reader has it: hidden totals are not known and stand as 0."""
    leaves = counts.size
    position = np.arange(leaves).reshape(counts.shape)
    below = [*([i] for i in range(leaves)), position.ravel(), *position, *position.T]
    lines = np.zeros((len(below), leaves), np.int64)
    for line, inside in enumerate(below):
        lines[line, inside] = 1
    totals = np.array([cell.count or 0 for cell in cells])
    is_shown = np.array([cell.count is not None for cell in cells])
    return Puzzle(lines, totals, is_shown, np.zeros(len(lines), np.int64))


@settings(max_examples=60, deadline=None)
@given(COUNTS)
def test_no_hidden_line_is_narrower_than_k_within_the_table(counts: np.ndarray) -> None:
    cells = protected_cells(counts, SPEC)
    truth = [*counts.ravel(), counts.sum(), *counts.sum(1), *counts.sum(0)]
    for cell, true in zip(cells, truth, strict=True):
        assert cell.count in (None, true)
        assert (cell.count is None) == (cell.reason == HIDDEN)
        assert cell.count is None or cell.count >= 10
    puzzle = seen(counts, cells)
    hidden = np.flatnonzero(~puzzle.is_shown)
    assert narrow(puzzle, hidden, np.full(len(puzzle.hidden_leaves), np.inf), 10) == {}


def test_a_table_without_small_cells_is_shown_whole() -> None:
    counts = np.full((3, 3), 25)
    assert [c.count for c in protected_cells(counts, SPEC)] == [25] * 9 + [225] + [75] * 6


@pytest.mark.parametrize("people", [0, 1, 9])
def test_an_almost_empty_table_shows_nothing(people: int) -> None:
    counts = np.zeros((3, 3), np.int64)
    counts[1, 1] = people
    assert all(cell.count is None for cell in protected_cells(counts, SPEC))


def test_one_small_cell_takes_a_partner_in_its_row_and_its_column() -> None:
    counts = np.array([[50, 60, 70], [80, 90, 3], [40, 45, 55]])
    cells = protected_cells(counts, SPEC)
    hidden = {tuple(cell.where.values()) for cell in cells if cell.count is None}
    assert ("b", "C") in hidden and 4 <= len(hidden) <= 6
    assert len({cell.reason for cell in cells if cell.count is None}) == 1
    assert all(len(where) == 2 for where in hidden)


def test_an_erasure_shows_in_the_next_table_which_is_why_the_label_says_so() -> None:
    counts = np.array([[50, 60, 70], [80, 90, 30], [40, 45, 55]])
    before = protected_cells(counts, SPEC)
    counts[0, 0] -= 1
    after = protected_cells(counts, SPEC)
    changed = [
        b.where for b, a in zip(before, after, strict=True) if (b.count or 0) - (a.count or 0) == 1
    ]
    assert changed == [
        {"site": "a", "cohort": "A"}, {}, {"site": "a"}, {"cohort": "A"},
    ]  # fmt: skip


def test_more_bins_than_can_be_checked_are_refused() -> None:
    wide = Histogram(
        "wide", PeriodKind.DAY,
        (Dimension("x", tuple(f"x{i}" for i in range(50))), Dimension("y", tuple(f"y{i}" for i in range(50)))),
        None, mechanism=Mechanism.K_ANONYMITY,
    )  # fmt: skip
    with pytest.raises(ReleaseProblem, match="at most 2000 bins"):
        protected_cells(np.zeros(wide.shape, np.int64), wide)
