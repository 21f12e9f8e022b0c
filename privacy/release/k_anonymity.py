"""Exact counts with small cells hidden, and as many others as keep those from being computed.

Here: deterministic k-anonymity with complementary suppression, for sites that choose it. Not here: a
guarantee. Within the one table no hidden line can be narrowed to less than k by its sums, and no small
cell to fewer than three values even by a reader who knows which cells are small. LIMITS says what it
does not withstand, and stands in every result. Source: Sweeney 2002, k-Anonymity; complementary
suppression as in Hundepool et al. 2012, Statistical Disclosure Control.
"""

from functools import partial

import numpy as np

from privacy.release.cells import Cell, by_level, level_name, places
from privacy.release.dimensions import ReleaseProblem
from privacy.release.protection import Puzzle, narrow
from privacy.release.release_spec import Histogram

MAX_BINS = 2_000
HIDDEN = "hidden to protect small cells"
LIMITS = (
    "Deterministic k-anonymity with complementary suppression. It does not withstand: comparing this "
    "table with another about the same people (before and after an erasure, another mart, another "
    "period), a reader who knows all people of a cell but one, groups in which all have the same "
    "value, or a reader who replays the rule that chose the hidden cells. No privacy loss can be "
    "stated for it; the discrete Laplace mechanism withstands all four up to its epsilon."
)


def protected_cells(counts: np.ndarray, spec: Histogram) -> list[Cell]:
    """Leaves and margins of exact int64 counts of the spec's shape.

    What is hidden has the same reason whether small or complementary. Raises ReleaseProblem for more than
    MAX_BINS bins.
    """
    if spec.bins > MAX_BINS:
        raise ReleaseProblem(
            f"{spec.mart}: k-anonymity takes at most {MAX_BINS} bins, this one has {spec.bins}."
        )
    levels = [spec.names, *spec.margins]
    puzzle = protect(_puzzle(counts, spec, levels), spec.threshold)
    found = []
    at = 0
    for level in levels:
        for where in places(spec, level):
            below = puzzle.lines[at].astype(bool)
            hidden = int((~puzzle.is_shown[: spec.bins])[below].sum())
            shown = int(puzzle.totals[at]) if puzzle.is_shown[at] else None
            reason = None if shown is not None else HIDDEN
            found.append(Cell(level_name(level), where, shown, shown, shown, reason, hidden))
            at += 1
    return found


def protect(puzzle: Puzzle, k: int) -> Puzzle:
    """The puzzle with lines hidden until no hidden one can be derived; only ever hides more."""
    is_shown = puzzle.is_shown & (puzzle.totals >= k)
    small = ~is_shown[: puzzle.lines.shape[1]]
    while True:
        current = Puzzle(puzzle.lines, puzzle.totals, is_shown, puzzle.level)
        exposed = _exposed(current, small, k)
        if not exposed:
            return current
        is_shown = is_shown & ~_also_hidden(current, exposed, k)


def _exposed(puzzle: Puzzle, small: np.ndarray, k: int) -> list[int]:
    """Hidden lines that a reader can narrow down too far, the first kind of reader that can."""
    hidden = puzzle.hidden_leaves
    if not len(hidden):
        return []
    is_small = small[hidden]
    primary = np.flatnonzero(small)
    free = np.full(len(hidden), np.inf)
    readers = (
        # One who knows only that counts are not negative.
        partial(narrow, puzzle, np.flatnonzero(~puzzle.is_shown), free, k),
        # One who knows which cells are small.
        partial(narrow, puzzle, primary, np.where(is_small, k - 1.0, np.inf), min(2, k - 1)),
        # One who takes every hidden cell for small.
        partial(narrow, puzzle, primary, np.full(len(hidden), k - 1.0), min(2, k - 1)),
    )
    for reader in readers:
        found = reader()
        if found:
            return sorted(found, key=lambda line: found[line][1] - found[line][0])
    return []


def _also_hidden(puzzle: Puzzle, exposed: list[int], k: int) -> np.ndarray:
    """The lines to hide next: one per exposed line, none twice over the same leaves."""
    chosen = np.zeros(len(puzzle.lines), dtype=bool)
    touched = np.zeros(puzzle.lines.shape[1], dtype=bool)
    # A margin that can be derived pins its cells, whatever is hidden among them: margins first.
    margins = [line for line in exposed if line >= puzzle.lines.shape[1]]
    for line in margins or exposed:
        inside = puzzle.lines[line].astype(bool)
        if (inside & touched).any():
            continue
        partner = _partner(puzzle, line, k)
        chosen[partner] = True
        touched |= inside | puzzle.lines[partner].astype(bool)
    return chosen


def _partner(puzzle: Puzzle, line: int, k: int) -> int:
    """The smallest shown line whose hiding frees `line`: inside it, beside it, or above it."""
    lines, inside = puzzle.lines.astype(bool), puzzle.lines[line].astype(bool)
    leaves = lines.shape[1]
    shown = np.flatnonzero(puzzle.is_shown)
    if puzzle.is_shown[:leaves][inside].all():
        # Nothing below is hidden: the sum of what is below would tell.
        return _smallest(puzzle, np.flatnonzero(inside))
    above = [
        p for p in shown if p != line and lines[p][inside].all() and lines[p].sum() > inside.sum()
    ]
    same = puzzle.level == puzzle.level[line]
    hidden_beside = [same & ~puzzle.is_shown & _within(lines, p) for p in above]
    sums = [puzzle.totals[hidden].sum() for hidden in hidden_beside]
    sizes = [lines[p].sum() for p in above]
    for i in np.lexsort((sizes, sums)):
        if line >= leaves and sums[i] >= k:
            # Enough is hidden at this level; what still pins it are shown cells inside.
            beside = np.flatnonzero(lines[hidden_beside[i]].any(axis=0) & puzzle.is_shown[:leaves])
        else:
            beside = np.flatnonzero(same & puzzle.is_shown & _within(lines, above[i]))
        if len(beside):
            return _smallest(puzzle, beside)
    if above:
        return _smallest(puzzle, np.asarray(above))
    crossing = [p for p in shown if (lines[p] & inside).any()]
    return _smallest(puzzle, np.asarray(crossing))


def _within(lines: np.ndarray, parent: np.intp) -> np.ndarray:
    """Which lines lie wholly below the parent."""
    return np.asarray(~(lines & ~lines[parent]).any(axis=1))


def _smallest(puzzle: Puzzle, candidates: np.ndarray) -> int:
    """The smallest of those that lie in most margins with something hidden already.

    A hidden cell protects another where both share their other margin with further hidden ones.
    """
    lines = puzzle.lines.astype(bool)
    hidden = ~puzzle.is_shown[: lines.shape[1]]
    beside = lines[puzzle.is_shown & (lines & hidden).any(axis=1)]
    shared = [int(beside[:, lines[c]].all(axis=1).sum()) for c in candidates]
    order = np.lexsort((puzzle.totals[candidates], -np.asarray(shared)))
    return int(candidates[order[0]])


def _puzzle(counts: np.ndarray, spec: Histogram, levels: list[tuple[str, ...]]) -> Puzzle:
    """Every line of every level as a row over the flat leaves."""
    position = np.arange(spec.bins).reshape(spec.shape)
    rows, of_level = [], []
    for number, level in enumerate(levels):
        for below in by_level(position, spec, level):
            row = np.zeros(spec.bins, dtype=np.int64)
            row[below] = 1
            rows.append(row)
            of_level.append(number)
    lines = np.stack(rows)
    is_shown = np.ones(len(lines), dtype=bool)
    return Puzzle(lines, lines @ counts.ravel(), is_shown, np.asarray(of_level))
