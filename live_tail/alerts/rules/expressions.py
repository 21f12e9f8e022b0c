"""The value of an expression: what it selects, arithmetic on equal labels, folding by labels.

Here: from an expression to values by labels. Not here: reading what is selected
(`live_tail/alerts/reading`), comparing (`evaluate`).
"""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime

from live_tail.alerts.reading.matching import Vector
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.reading.selecting import Aggregate, Combine, Expr, Select
from live_tail.alerts.words.rule_records import Labels

_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}
_FOLDS: Mapping[str, Callable[[list[float]], float]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "count": lambda values: float(len(values)),
}


def vector_of(expression: Expr, sources: Sources, at: datetime, *, worst: str = "max") -> Vector:
    """The values of an expression by labels; a number has no labels."""
    if isinstance(expression, Select):
        return sources.vector(expression, at, worst=worst)
    if isinstance(expression, Combine):
        left = vector_of(expression.left, sources, at, worst=worst)
        right = vector_of(expression.right, sources, at, worst=worst)
        return combined(expression.op, left, right)
    if isinstance(expression, Aggregate):
        grouped: dict[Labels, list[float]] = {}
        for labels, value in vector_of(expression.of, sources, at, worst=worst).items():
            key = tuple(pair for pair in labels if pair[0] in expression.by)
            grouped.setdefault(key, []).append(value)
        return {k: _FOLDS[expression.aggregate](v) for k, v in grouped.items()}
    return {(): float(expression)}


def combined(op: str, left: Vector, right: Vector) -> Vector:
    """Arithmetic on values of equal labels; a value without labels stands for all of the other side."""
    apply = _ARITHMETIC[op]
    found: Vector = {}
    if not (len(right) == 1 and () in right) and len(left) == 1 and () in left:
        left = dict.fromkeys(right, left[()])
    for labels, value in left.items():
        other = right.get(labels, right.get(()))
        if other is not None and not (op == "divide" and other == 0):
            found[labels] = apply(value, other)
    return found
