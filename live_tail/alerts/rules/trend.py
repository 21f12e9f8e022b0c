"""Where a series goes and whether it left its own range: robust, in numpy, without a fit library.

Here: Theil-Sen and damped Holt forecasts and the distance in median absolute deviations. Not here:
which series (`sources`). Sources: Sen 1968; Gardner and McKenzie 1985; Iglewicz and Hoaglin 1993.
"""

import numpy as np

from live_tail.alerts.rules.rule_spec import Anomaly, Forecast

_MAX_POINTS = 300
_ALPHA, _BETA, _PHI = 0.5, 0.3, 0.95
_STEPS = 10_000


def reaches_in_s(times: np.ndarray, values: np.ndarray, rule: Forecast) -> float | None:
    """Seconds from now until the limit is reached; None when it is not on its way there.

    `times` are seconds relative to now. Only points after the last reset count.
    """
    start = _after_reset(values, rule.direction)
    times, values = times[start:][-_MAX_POINTS:], values[start:][-_MAX_POINTS:]
    sign = 1.0 if rule.direction == "up" else -1.0
    if len(values) < rule.min_points:
        return None
    if sign * (values[-1] - rule.limit) >= 0:
        return 0.0
    if rule.method == "damped_holt":
        return _holt_s(times, values, rule.limit, sign)
    slope, level = _theil_sen(times, values)
    if sign * slope <= 0:
        return None
    return max((rule.limit - level) / slope, 0.0)


def distance_in_deviations(values: np.ndarray, rule: Anomaly) -> float | None:
    """How many robust deviations the last value lies from the median before it, or None."""
    if len(values) < rule.min_points:
        return None
    past = values[:-1]
    median = float(np.median(past))
    spread = 1.4826 * float(np.median(np.abs(past - median)))
    return away_in_deviations(float(values[-1]), median, spread, rule)


def away_in_deviations(value: float, usual: float, spread: float, rule: Anomaly) -> float | None:
    """How many deviations a value lies from what is usual; None within the rule's guards."""
    away = value - usual
    if abs(away) < max(rule.min_absolute, rule.min_relative * abs(usual)):
        return None
    if (rule.direction == "up" and away < 0) or (rule.direction == "down" and away > 0):
        return None
    # A series that never moved has no spread: a hundredth of its level stands for it.
    return away / max(spread, abs(usual) / 100, 1e-9)


def _after_reset(values: np.ndarray, direction: str) -> int:
    """Index of the first point after the last jump back over half of the range."""
    if len(values) < 2:
        return 0
    steps = np.diff(values) * (1.0 if direction == "up" else -1.0)
    jumps = np.flatnonzero(steps < -0.5 * float(np.ptp(values)))
    return int(jumps[-1]) + 1 if len(jumps) else 0


def _theil_sen(times: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Median of pairwise slopes, and the level at time 0."""
    first, second = np.triu_indices(len(times), 1)
    gaps = times[second] - times[first]
    slopes = (values[second] - values[first])[gaps > 0] / gaps[gaps > 0]
    slope = float(np.median(slopes)) if len(slopes) else 0.0
    return slope, float(np.median(values - slope * times))


def _holt_s(times: np.ndarray, values: np.ndarray, limit: float, sign: float) -> float | None:
    step = float(np.median(np.diff(times)))
    if step <= 0:
        return None
    level, trend = float(values[0]), float(values[1] - values[0])
    for value in values[1:]:
        before = level
        level = _ALPHA * float(value) + (1 - _ALPHA) * (level + _PHI * trend)
        trend = _BETA * (level - before) + (1 - _BETA) * _PHI * trend
    # The damped sum grows towards a bound: what never reaches the limit is no alert.
    gains = trend * np.cumsum(_PHI ** np.arange(1, _STEPS))
    reached = np.flatnonzero(sign * (level + gains - limit) >= 0)
    return (int(reached[0]) + 1) * step if len(reached) else None
