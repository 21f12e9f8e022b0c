"""Which labels a selection takes, and how values that share their labels become one.

Here: matchers of `where`, keeping labels, folding. Not here: matchers of silences and routes
(`live_tail/alerts/words/matchers`), which are written otherwise.
"""

import re
from collections.abc import Callable, Mapping

from live_tail.alerts.reading.histogram_readings import (
    NUMBERED,
    same_number,
)
from live_tail.alerts.reading.hot_tables import Rows
from live_tail.alerts.reading.selecting import Select, Where
from live_tail.alerts.words.rule_records import Labels, labels_of

Vector = dict[Labels, float]
"""Values by labels."""
_FOLDS: Mapping[str, Callable[[list[float]], float]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "count": len,
}
_ADDED = frozenset({"rate", "increase", "count", "sum", "errors"})


def matches(where: Where, labels: Mapping[str, str]) -> bool:
    """Whether labels meet every matcher: `value`, `!value`, `~regex`, `!~regex` or a list."""
    for name, matcher in where.items():
        value = labels.get(name, "")
        options = matcher if isinstance(matcher, list) else [matcher]
        if name in NUMBERED and any(same_number(option, value) for option in options):
            continue
        if not any(_matches_one(option, value) for option in options):
            return False
    return True


def _matches_one(matcher: str, value: str) -> bool:
    if matcher.startswith("!~"):
        return re.fullmatch(matcher[2:], value) is None
    if matcher.startswith("~"):
        return re.fullmatch(matcher[1:], value) is not None
    if matcher.startswith("!"):
        return value != matcher[1:]
    return value == matcher


def only(labels: Mapping[str, str], by: list[str] | None) -> dict[str, str]:
    """The labels that are asked for; all of them for None."""
    return dict(labels) if by is None else {k: v for k, v in labels.items() if k in by}


def folded(rows: Rows, select: Select, worst: str) -> Vector:
    """One value for each set of labels; `worst` (max or min) folds what says nothing of it itself."""
    fold = _FOLDS[select.reduce or ("sum" if select.value in _ADDED else worst)]
    grouped: dict[Labels, list[float]] = {}
    for labels, value in rows:
        grouped.setdefault(labels_of(only(labels, select.by)), []).append(value)
    return {
        k: v[0] if len(v) == 1 and fold is not len else float(fold(v)) for k, v in grouped.items()
    }
