"""From noisy counts to what is shown: threshold, rounding, margins that add up.

Here: post-processing of the noisy histogram; it costs nothing and can undo nothing. Not here: the noise.
A margin is the sum of the published cells below it, so it says nothing that they do not say: a cell that
is not shown cannot be computed from its margin. Its interval allows for the cells that are not shown,
and `suppressed_cells` counts them. What is not shown is null with a reason, never 0. Source: Dwork and
Roth 2014, 2.3 (post-processing).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from privacy.release.mechanism import half_width
from privacy.release.release_spec import Histogram

BELOW_THRESHOLD = "fewer than {k} people (noisy count)"
NOTHING_BELOW = "no cell below is shown"
TOTAL = "total"


@dataclass(frozen=True)
class Cell:
    """One published line; `where` maps the dimensions that stay to their value.

    `low` and `high` hold the true count with 95 %: noise, rounding and the cells not shown below.
    Where nothing is known about a hidden line they are None.
    """

    level: str
    where: dict[str, str]
    count: int | None
    low: int | None
    high: int | None
    reason: str | None
    suppressed_cells: int


def rounded(noisy: np.ndarray, threshold: int, rounding: int) -> np.ndarray:
    """Shown counts as float64 in the same shape, NaN where the noisy count is below the threshold.

    `threshold` and `rounding` are numbers of people.
    """
    nearest = (noisy + rounding // 2) // rounding * rounding
    # Rounding down may not show less than the threshold allows to be shown.
    shown = np.maximum(nearest, -(-threshold // rounding) * rounding)
    return np.where(noisy < threshold, np.nan, shown)


def published_cells(noisy: np.ndarray, spec: Histogram) -> list[Cell]:
    """Leaves and margins of a noisy int64 histogram of the spec's shape, in the order of the bins."""
    shown = rounded(noisy, spec.threshold, spec.rounding)
    levels = [spec.names, *spec.margins]
    return [cell for level in levels for cell in _level(shown, spec, level)]


def level_name(level: tuple[str, ...]) -> str:
    """`site, cohort`, or `total`."""
    return ", ".join(level) or TOTAL


def places(spec: Histogram, level: tuple[str, ...]) -> list[dict[str, str]]:
    """All combinations of the values of a level's dimensions."""
    dimensions = [spec.dimensions[spec.axis(name)] for name in level]
    return [dict(zip(level, at, strict=True)) for at in product(*(d.labels for d in dimensions))]


def by_level(array: np.ndarray, spec: Histogram, level: tuple[str, ...]) -> np.ndarray:
    """The array, of the spec's shape, as (cells of the level, leaves below each)."""
    axes = [spec.axis(name) for name in level]
    rest = [axis for axis in range(len(spec.shape)) if axis not in axes]
    lines = int(np.prod([spec.shape[axis] for axis in axes], dtype=np.int64))
    return array.transpose([*axes, *rest]).reshape(lines, -1)


def _level(shown: np.ndarray, spec: Histogram, level: tuple[str, ...]) -> list[Cell]:
    below = by_level(shown, spec, level)
    totals = np.nansum(below, axis=1)
    hidden = np.isnan(below).sum(axis=1)
    leaves = below.shape[1]
    reason = BELOW_THRESHOLD.format(k=spec.threshold) if leaves == 1 else NOTHING_BELOW
    found = []
    for where, total, missing in zip(places(spec, level), totals, hidden, strict=True):
        seen = leaves - int(missing)
        reach = half_width(spec.epsilon or 0.0, leaves, seen, spec.rounding)
        most = int(total) + int(missing) * (spec.threshold - 1) + reach
        found.append(
            Cell(
                level=level_name(level),
                where=where,
                count=int(total) if seen else None,
                low=max(0, int(total) - reach) if seen else 0,
                high=most,
                reason=None if seen else reason,
                suppressed_cells=int(missing),
            )
        )
    return found
