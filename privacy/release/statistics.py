"""Quantiles, rates and correlation from a noisy histogram, with their error intervals.

Here: post-processing; no row is read and no epsilon is spent. Not here: exact statistics, which show one
person's own value in half of the small cells. The interval is a parametric bootstrap: the published
noise distribution is taken off the noisy counts 400 times, the figure computed each time, and the middle
95 % reported. It covers the noise, not the chance of who happened to play. Source: Efron and Tibshirani
1993, An Introduction to the Bootstrap (parametric bootstrap).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from privacy.release.cells import places
from privacy.release.dimensions import Dimension
from privacy.release.mechanism import discrete_laplace
from privacy.release.release_spec import Histogram, Statistic

DRAWS = 400
_CELLS_AT_ONCE = 2_000_000
_METHOD = "noisy histogram; 95 % interval of the noise, 400 bootstrap draws"
_UNDEFINED = "the noisy counts do not determine it"


@dataclass(frozen=True)
class Figure:
    """One published statistic; `value` is None with a reason when there are too few people."""

    statistic: str
    about: str
    where: dict[str, str]
    value: float | None
    low: float | None
    high: float | None
    method: str
    reason: str | None


def figures(noisy: np.ndarray, spec: Histogram, seed: int) -> list[Figure]:
    """All statistics of the spec from a noisy int64 histogram of its shape, each with its 95 % interval.

    `seed` makes the intervals repeatable.
    """
    if not spec.statistics or spec.epsilon is None:
        return []
    draws = [[] for _ in spec.statistics]
    chance = np.random.default_rng(seed)
    at_once = max(1, min(DRAWS, _CELLS_AT_ONCE // spec.bins))
    for start in range(0, DRAWS, at_once):
        size = min(at_once, DRAWS - start)
        plausible = noisy - discrete_laplace(spec.epsilon, (size, *spec.shape), chance)
        for kept, statistic in zip(draws, spec.statistics, strict=True):
            kept.append(_compute(plausible, spec, statistic))
    found = []
    for kept, statistic in zip(draws, spec.statistics, strict=True):
        values = _compute(noisy[None], spec, statistic)[0]
        counts = _people(noisy[None], spec, statistic)[0]
        spread = np.concatenate(kept)
        found += _lines(spec, statistic, values, counts, spread)
    return found


def _lines(
    spec: Histogram,
    statistic: Statistic,
    values: np.ndarray,
    counts: np.ndarray,
    spread: np.ndarray,
) -> list[Figure]:
    about = statistic.dimension
    step = _step(spec.dimensions[spec.axis(about)], statistic)
    found = []
    for line, where in enumerate(places(spec, statistic.by)):
        reason = None
        if counts[line] < statistic.min_count:
            reason = f"fewer than {statistic.min_count} people (noisy count)"
        elif np.isnan(values[line]) or np.isnan(spread[:, line]).mean() > 0.05:
            reason = _UNDEFINED
        value = low = high = None
        if reason is None:
            ends = np.nanquantile(spread[:, line], [0.025, 0.975])
            value = _to_step(values[line], step, np.round)
            low = min(value, _to_step(ends[0], step, np.floor))
            high = max(value, _to_step(ends[1], step, np.ceil))
        found.append(Figure(statistic.name, about, where, value, low, high, _METHOD, reason))
    return found


def _step(dimension: Dimension, statistic: Statistic) -> float:
    """Figures are rounded: shares and r to 0.01, quantiles to a twentieth of the smallest bin."""
    if statistic.kind != "quantile" or dimension.edges is None:
        return 0.01
    return float(np.diff(dimension.edges).min()) / 20


def _to_step(value: float, step: float, to: Callable[[float], float]) -> float:
    return round(float(to(round(value / step, 6)) * step), 10)


def _table(
    counts: np.ndarray, spec: Histogram, by: tuple[str, ...], about: tuple[str, ...]
) -> np.ndarray:
    """(draws, cells of `by`, named values of each of `about`): everything else summed."""
    axes = [1 + spec.axis(name) for name in (*by, *about)]
    rest = tuple(axis for axis in range(1, counts.ndim) if axis not in axes)
    summed = counts.transpose([0, *axes, *rest]).reshape(
        [len(counts), *(counts.shape[axis] for axis in axes), -1]
    )
    table = summed.sum(axis=-1)
    for offset, name in enumerate(about):
        named = len(spec.dimensions[spec.axis(name)].values)
        table = table.take(range(named), axis=1 + len(by) + offset)
    return table.reshape(len(counts), -1, *table.shape[1 + len(by) :])


def _about(statistic: Statistic) -> tuple[str, ...]:
    other = statistic.other_dimension
    return (statistic.dimension, other) if other else (statistic.dimension,)


def _people(counts: np.ndarray, spec: Histogram, statistic: Statistic) -> np.ndarray:
    table = _table(counts, spec, statistic.by, _about(statistic))
    return table.reshape(*table.shape[:2], -1).sum(axis=-1)


def _compute(counts: np.ndarray, spec: Histogram, statistic: Statistic) -> np.ndarray:
    """The figure per draw and cell of `by`; NaN where the counts do not determine it."""
    table = _table(counts, spec, statistic.by, _about(statistic)).astype(float)
    dimension = spec.dimensions[spec.axis(statistic.dimension)]
    with np.errstate(divide="ignore", invalid="ignore"):
        if statistic.kind == "rate":
            part = table[..., dimension.values.index(statistic.value or "")]
            total = table.sum(axis=-1)
            return np.where(total > 0, np.clip(part / total, 0, 1), np.nan)
        if statistic.kind == "quantile":
            return _quantile(table, np.asarray(dimension.edges, dtype=float), statistic.q)
        other = spec.dimensions[spec.axis(statistic.other_dimension or "")]
        return _correlation(table, np.asarray(dimension.scores), np.asarray(other.scores))


def _quantile(table: np.ndarray, edges: np.ndarray, q: float) -> np.ndarray:
    """Linear inside the bin where the cumulated count, made monotone, reaches q of the total."""
    cumulated = np.maximum.accumulate(np.cumsum(table, axis=-1), axis=-1)
    cumulated = np.concatenate([np.zeros_like(cumulated[..., :1]), np.maximum(cumulated, 0)], -1)
    target = q * table.sum(axis=-1, keepdims=True)
    index = np.argmax(cumulated[..., 1:] >= target, axis=-1)[..., None]
    before = np.take_along_axis(cumulated, index, -1)
    inside = np.take_along_axis(cumulated, index + 1, -1) - before
    share = np.clip(np.where(inside > 0, (target - before) / inside, 0.5), 0, 1)
    value = (edges[index] + share * (edges[index + 1] - edges[index]))[..., 0]
    return np.where(target[..., 0] > 0, value, np.nan)


def _correlation(table: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pearson's r of bin scores weighted by counts."""
    total = table.sum(axis=(-2, -1))
    by_x, by_y = table.sum(axis=-1), table.sum(axis=-2)
    mean_x, mean_y = by_x @ x / total, by_y @ y / total
    var_x = by_x @ x**2 / total - mean_x**2
    var_y = by_y @ y**2 / total - mean_y**2
    joint = np.einsum("...ij,i,j->...", table, x, y) / total - mean_x * mean_y
    r = joint / np.sqrt(var_x * var_y)
    defined = (total > 0) & (var_x > 0) & (var_y > 0)
    return np.where(defined, np.clip(r, -1, 1), np.nan)
