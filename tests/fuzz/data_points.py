"""Data points of OTLP metrics with whatever the protocol lets a sender say.

Here: one point of each kind. Not here: the metrics and exports around them (`otlp`).
"""

import math
from collections.abc import Callable
from random import Random
from typing import Any

DOUBLES = (0.0, -1.0, math.nan, math.inf, -math.inf, 1e308, 5e-324, 0.25, 200.0)
INTS = (0, 1, -1, 2**63 - 1, -(2**63), 200, 2**53 + 1)
_COUNTS = (0, 1, 7, 2**63 - 1, 2**63, 2**64 - 1)


def _number(chance: Random, point: Any) -> None:
    if chance.random() < 0.5:
        point.as_double = chance.choice(DOUBLES)
    elif chance.random() < 0.8:
        point.as_int = chance.choice(INTS)


def _distribution(chance: Random, point: Any) -> None:
    point.count = chance.choice(_COUNTS)
    for name in ("sum", "min", "max"):
        if chance.random() < 0.6:
            setattr(point, name, chance.choice(DOUBLES))


def _histogram(chance: Random, point: Any) -> None:
    _distribution(chance, point)
    point.explicit_bounds.extend(chance.choice(DOUBLES) for _ in range(chance.randrange(4)))
    point.bucket_counts.extend(chance.choice(_COUNTS) for _ in range(chance.randrange(5)))


def _exponential(chance: Random, point: Any) -> None:
    _distribution(chance, point)
    point.scale = chance.choice((0, 3, -10, 20, 2**31 - 1, -(2**31)))
    point.zero_count, point.zero_threshold = chance.choice(_COUNTS), chance.choice(DOUBLES)
    for side in (point.positive, point.negative):
        side.offset = chance.choice((0, -3, 2**31 - 1, -(2**31)))
        side.bucket_counts.extend(chance.choice(_COUNTS) for _ in range(chance.randrange(4)))


def _summary(chance: Random, point: Any) -> None:
    point.count, point.sum = chance.choice(_COUNTS), chance.choice(DOUBLES)
    for _ in range(chance.randrange(3)):
        point.quantile_values.add(
            quantile=chance.choice((0.5, -1.0, 2.0, math.nan)), value=chance.choice(DOUBLES)
        )


POINTS: dict[str, Callable[[Random, Any], None]] = {
    "gauge": _number, "sum": _number, "histogram": _histogram, "exponential_histogram": _exponential,
    "summary": _summary,
}  # fmt: skip
