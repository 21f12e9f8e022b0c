"""What a reader can work out of a table with hidden cells, by linear programming.

Here: the range of each hidden line that is consistent with the published ones. It serves twice: to
choose what else must be hidden (`k_anonymity`) and to attack what was published (tests). Not here: what
a reader knows from elsewhere. Source: Hundepool et al. 2012, Statistical Disclosure Control (feasibility
intervals of suppressed cells).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Puzzle:
    """A published table: `lines @ leaves = totals`, known only where `is_shown`.

    `lines` is (lines, leaves) of 0 and 1, leaves first; `totals` the true sums (hidden ones unused);
    `level` numbers the level of each line.
    """

    lines: np.ndarray
    totals: np.ndarray
    is_shown: np.ndarray
    level: np.ndarray

    @property
    def hidden_leaves(self) -> np.ndarray:
        """Indices of the leaves that are not shown."""
        return np.flatnonzero(~self.is_shown[: self.lines.shape[1]])

    def equations(self) -> tuple[np.ndarray, np.ndarray]:
        """Shown margins over the hidden leaves: (matrix, right side)."""
        leaves = self.lines.shape[1]
        hidden = self.hidden_leaves
        shown = np.flatnonzero(self.is_shown[:leaves])
        margins = leaves + np.flatnonzero(self.is_shown[leaves:])
        matrix = self.lines[np.ix_(margins, hidden)]
        rest = self.totals[margins] - self.lines[np.ix_(margins, shown)] @ self.totals[shown]
        concerned = matrix.any(axis=1)
        return matrix[concerned].astype(float), rest[concerned].astype(float)


def narrow(
    puzzle: Puzzle, targets: np.ndarray, upper: np.ndarray, width: float
) -> dict[int, tuple[float, float]]:
    """Those target lines whose feasible range is narrower than `width`, with the range.

    `upper` bounds each hidden leaf (inf where the reader knows no bound); below it is 0. An
    infeasible assumption tells the reader nothing: the answer is then empty.
    """
    # A second to import, and only a table with hidden cells asks for it.
    from scipy.optimize import linprog  # noqa: PLC0415

    matrix, right = puzzle.equations()
    hidden = puzzle.hidden_leaves
    goals = puzzle.lines[np.ix_(targets, hidden)].astype(float)
    bounds = np.column_stack([np.zeros(len(hidden)), upper])
    lowest = np.full(len(targets), np.inf)
    highest = np.full(len(targets), -np.inf)
    for index in range(len(targets)):
        for sign in (1, -1):
            # A solution found for another line may already show that this one is free enough.
            if highest[index] - lowest[index] >= width:
                break
            solved = linprog(
                sign * goals[index],
                A_eq=matrix if len(matrix) else None,
                b_eq=right if len(matrix) else None,
                bounds=bounds,
                method="highs",
            )
            if solved.status == 2:
                return {}
            if solved.status == 3:
                highest[index] = np.inf
                continue
            values = goals @ solved.x
            lowest, highest = np.minimum(lowest, values), np.maximum(highest, values)
    spread = highest - lowest
    return {
        int(targets[i]): (float(lowest[i]), float(highest[i]))
        for i in np.flatnonzero(spread < width - 1e-6)
    }
