"""The unit in which what a rule selects is read, and what it is in words. Pure.

Here: from an expression to unit, factor and words. Not here: its values (`curves`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from live_tail.alerts.reading.selecting import Aggregate, Combine, Expr, Select

_FACTS: Mapping[str, str] = {
    "requests": "requests",
    "db_operations": "database operations",
    "ai_calls": "AI calls",
    "failures": "failures",
    "dropped_points": "metric points",
}
# Endings of metric names (OpenTelemetry, Prometheus): unit and factor.
_ENDINGS: Mapping[str, tuple[str, float]] = {
    "utilization": ("%", 100.0),
    "_ratio": ("%", 100.0),
    "_bytes": ("bytes", 1.0),
    "memory.usage": ("bytes", 1.0),
    "_seconds": ("s", 1.0),
}
_COUNTS = frozenset({"count", "increase"})


@dataclass(frozen=True)
class Scale:
    """Values times `factor` are in `unit`; a count of which there is none is zero."""

    unit: str
    factor: float
    what: str
    is_count: bool = False


def of_expression(expression: Expr) -> Scale:
    """How the values of an expression read."""
    if isinstance(expression, Select):
        return _of_fact(expression) if expression.fact else _of_metric(expression)
    if isinstance(expression, Aggregate):
        return of_expression(expression.of)
    if isinstance(expression, Combine):
        return _of_arithmetic(expression)
    return Scale("", 1.0, "")


def span_words(span: timedelta) -> str:
    """`30 s`, `5 min`, `6 h`."""
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3_600 else f"{seconds / 3_600:g} h"


def _of_fact(select: Select) -> Scale:
    name = _FACTS.get(select.fact, select.fact.replace("_", " "))
    over = f"in {span_words(select.over)}"
    if select.value == "rate":
        return Scale("/s", 1.0, f"{name} per second {over}")
    if select.value == "error_ratio":
        return Scale("%", 100.0, f"failed {name} {over}")
    if select.value.startswith("p"):
        return Scale("ms", 1.0, f"{select.value} of {name} {over}")
    failed = "failed " if select.value == "errors" else ""
    return Scale(f"{failed}{name}", 1.0, f"{failed}{name} {over}", is_count=True)


def _of_metric(select: Select) -> Scale:
    ending = next((e for e in _ENDINGS if select.metric.endswith(e)), None)
    unit, factor = _ENDINGS[ending] if ending else ("", 1.0)
    if select.value == "rate":
        return Scale("/s", 1.0, select.metric)
    over = f" in {span_words(select.over)}" if select.value in _COUNTS else ""
    return Scale(unit, factor, f"{select.metric}{over}")


def _of_arithmetic(expression: Combine) -> Scale:
    left, right = expression.left, expression.right
    if expression.op == "divide":
        return Scale("%", 100.0, f"{of_expression(left).what} of {of_expression(right).what}")
    if expression.op == "multiply" and isinstance(left, float):
        inner = of_expression(right)
        # A share that the rule itself turns into percent.
        is_percent = inner.unit == "%" and left == inner.factor
        return Scale("%" if is_percent else inner.unit, 1.0, inner.what)
    return Scale("", 1.0, of_expression(left).what)
