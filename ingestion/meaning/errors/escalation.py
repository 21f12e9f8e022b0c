"""Escalating: more errors in an hour than its history explains, with false discoveries controlled.

Here: a one-sided test per group against the same hour of the week, and Benjamini-Hochberg over all
groups of a round. The count of an hour is Poisson with an unknown rate: under a Gamma prior (Jeffreys)
its prediction is negative binomial, wider where history is short; where the hours themselves vary more
than that, the dispersion is estimated by moments. Source: Gelman et al., Bayesian Data Analysis, 2.6;
Benjamini and Hochberg 1995; the incomplete beta function after Numerical Recipes 6.4.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

FALSE_DISCOVERY_RATE = 0.01
MIN_COUNT = 10
MIN_RATIO = 2.0
_WEEKS = 8
_MIN_PERIODS = 2


def baseline(
    counts: Mapping[datetime, int], hour_at: datetime, since: datetime
) -> list[int] | None:
    """Counts of the same hour of the week in the weeks before; hours without errors count 0.

    `counts` is by start of hour and holds no zeros; `since` is when the history begins. None when it
    is shorter than two weeks.
    """
    hours = [hour_at - timedelta(weeks=week) for week in range(1, _WEEKS + 1)]
    known = [counts.get(hour, 0) for hour in hours if hour >= since]
    return known if len(known) >= _MIN_PERIODS else None


def p_value(count: int, history: Sequence[int]) -> float:
    """Probability (0 to 1) of at least `count` in an hour like those of `history` (not empty)."""
    if count <= 0:
        return 1.0
    periods, total = len(history), sum(history)
    shape, mean = total + 0.5, (total + 0.5) / periods
    average = total / periods
    if periods > 3 and average > 0:
        variance = sum((x - average) ** 2 for x in history) / (periods - 1)
        # As a t-distribution predicts: few hours tell little about how much hours vary.
        variance *= (1 + 1 / periods) * (periods - 1) / (periods - 3)
        if variance > average:
            shape = min(shape, max(average**2 / (variance - average), 0.5))
    # P(X >= k) of a negative binomial with this shape and mean.
    return _beta_tail(count, shape, mean / (mean + shape))


def escalating(
    counts: Mapping[str, tuple[int, Sequence[int]]], rate: float = FALSE_DISCOVERY_RATE
) -> set[str]:
    """Keys whose count is escalating; `counts` is by key (count of the hour, its history).

    Small counts and small rises never are, however improbable.
    """
    values = sorted((p_value(count, history), key) for key, (count, history) in counts.items())
    last = 0
    for place, (p, _) in enumerate(values, start=1):
        if p <= rate * place / len(values):
            last = place
    return {key for _, key in values[:last] if _is_large(*counts[key])}


def _is_large(count: int, history: Sequence[int]) -> bool:
    return count >= MIN_COUNT and count >= MIN_RATIO * (sum(history) / len(history))


def _beta_tail(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + term * d
            c = 1 + term / c
            d, c = 1 / (d if abs(d) > tiny else tiny), c if abs(c) > tiny else tiny
            value *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return value
