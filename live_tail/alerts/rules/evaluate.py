"""One round: every rule that is due against the sources, at one time.

Here: the condition of each kind. Not here: reading data (`sources`), `for`, N of M and everything
that happens to an alert afterwards (`life`). A rule that fails is unknown, not resolved.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from live_tail.alerts.rules.rule_files import rendered
from live_tail.alerts.rules.sources import ErrorGroupsUnavailable, Sources, Vector, matches
from live_tail.alerts.rules.spec import (
    Absence,
    Aggregate,
    Anomaly,
    BurnRate,
    Combine,
    ErrorGroup,
    Expr,
    Forecast,
    Ratio,
    Select,
    Sql,
    Threshold,
)
from live_tail.alerts.rules.trend import away_in_deviations, distance_in_deviations, reaches_in_s
from live_tail.alerts.words.digests import digests
from live_tail.alerts.words.model import Labels, Reading, Round, Rule, labels_of

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
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


def evaluate(rules: Sequence[Rule], sources: Sources, at: datetime) -> Round:
    """What holds at a time (UTC); failures are named by the type of their error."""
    naive, sources = at.astimezone(UTC).replace(tzinfo=None), sources.for_one_look()
    readings: list[Reading] = []
    failed: dict[str, str] = {}
    unjudged: dict[str, str] = {}
    for rule in rules:
        sources.unjudged = ""
        try:
            readings += readings_of(rule, sources, naive)
        except Exception as error:  # noqa: BLE001 - one rule must not stop the others
            failed[rule.name] = type(error).__name__
        if sources.unjudged:
            unjudged[rule.name] = sources.unjudged
    names = frozenset(rule.name for rule in rules)
    return Round(at, tuple(readings), failed, names, sources.uses(), unjudged)


def readings_of(rule: Rule, sources: Sources, at: datetime) -> list[Reading]:
    """The series for which a rule holds at a time (UTC without zone); raises what the source does."""
    if rule.kind == "error_group":
        return _error_groups(rule, sources, at)
    found = _KINDS[rule.kind](rule.spec["when"], sources, at)
    if rule.min_history and found:
        found = _long_known(rule, found, sources, at)
    return [_reading(rule, labels, value) for labels, value in found.items()]


def _long_known(rule: Rule, found: Vector, sources: Sources, at: datetime) -> Vector:
    """Without components that were first heard of less than `min_history` ago."""
    known_since = sources.known_since(at)
    kept = {
        labels: value
        for labels, value in found.items()
        if at - known_since.get(dict(labels).get("component", ""), datetime.min) >= rule.min_history
    }
    if len(kept) < len(found):
        wanted = f"{_span(rule.min_history)} since they were first heard of"
        sources.unjudged = _not_enough(len(found) - len(kept), len(found), wanted)
    return kept


def vector_of(expression: Expr, sources: Sources, at: datetime, *, worst: str = "max") -> Vector:
    """The values of an expression by labels; a number has no labels."""
    if isinstance(expression, Select):
        return sources.vector(expression, at, worst=worst)
    if isinstance(expression, Combine):
        left = vector_of(expression.left, sources, at, worst=worst)
        right = vector_of(expression.right, sources, at, worst=worst)
        return _combined(expression.op, left, right)
    if isinstance(expression, Aggregate):
        grouped: dict[Labels, list[float]] = {}
        for labels, value in vector_of(expression.of, sources, at, worst=worst).items():
            key = tuple(pair for pair in labels if pair[0] in expression.by)
            grouped.setdefault(key, []).append(value)
        return {k: _FOLDS[expression.aggregate](v) for k, v in grouped.items()}
    return {(): float(expression)}


def _combined(op: str, left: Vector, right: Vector) -> Vector:
    apply = _ARITHMETIC[op]
    found: Vector = {}
    if not (len(right) == 1 and () in right) and len(left) == 1 and () in left:
        left = dict.fromkeys(right, left[()])
    for labels, value in left.items():
        other = right.get(labels, right.get(()))
        if other is not None and not (op == "divide" and other == 0):
            found[labels] = apply(value, other)
    return found


def _worst(symbol: str) -> str:
    return "min" if symbol in {"<", "<=", "=="} else "max"


def _threshold(when: Threshold, sources: Sources, at: datetime) -> Vector:
    symbol = when.compare[0] if when.compare else when.operator
    values = vector_of(when.value, sources, at, worst=_worst(symbol))
    if when.compare:
        found = _compared(values, when.compare)
    else:
        limits = vector_of(when.than or 0.0, sources, at)
        found = {
            labels: value
            for labels, value in values.items()
            if (limit := limits.get(labels, limits.get(()))) is not None
            and _OPERATORS[symbol](value, limit)
        }
    return _enough(found, when.at_least, when.min_events, sources, at)


def _ratio(when: Ratio, sources: Sources, at: datetime) -> Vector:
    part, whole = vector_of(when.part, sources, at), vector_of(when.whole, sources, at)
    enough = {labels: value for labels, value in whole.items() if value >= when.min_events}
    # No failures at all is a part of zero: a series that never failed has none to select.
    shares = {labels: part.get(labels, 0.0) for labels in enough}
    enough = {k: v for k, v in enough.items() if shares[k] >= when.min_bad}
    return _compared(_combined("divide", shares, enough), when.compare)


def _enough(
    found: Vector, events: Expr | None, least: float, sources: Sources, at: datetime
) -> Vector:
    if not found or events is None:
        return found
    counts = vector_of(events, sources, at)
    return {
        labels: value
        for labels, value in found.items()
        if counts.get(labels, counts.get((), 0.0)) >= least
    }


def _compared(values: Vector, comparison: tuple[str, float]) -> Vector:
    symbol, number = comparison
    holds = _OPERATORS[symbol]
    return {labels: value for labels, value in values.items() if holds(value, number)}


def _absence(when: Absence, sources: Sources, at: datetime) -> Vector:
    now = sources.vector(when.select, at)
    exact = {k: v for k, v in when.select.where.items() if isinstance(v, str) and v[:1] not in "~!"}
    if not when.once_seen:
        return {} if now else {labels_of(exact): 0.0}
    before = sources.vector(
        when.select.model_copy(update={"over": 12 * when.select.over, "value": "last"}), at
    )
    return {labels: 0.0 for labels in before if labels not in now}


def _burn_rate(when: BurnRate, sources: Sources, at: datetime) -> Vector:
    long = sources.minutes(at, when.long)
    short = sources.minutes(at, when.short, is_going_on=True) if when.short else long
    found: Vector = {}
    for key, (bad, total) in long.items():
        labels = {"component": key[0], "source": key[1]}
        bad_now, total_now = short.get(key, (0, 0))
        is_enough = (
            total >= when.min_events
            and bad >= when.min_bad
            and total_now >= when.min_events_short
            and total_now > 0
        )
        if not is_enough or not matches(when.where, labels):
            continue
        share, share_now = 100.0 * bad / total, 100.0 * bad_now / total_now
        if share > when.error_pct and share_now > when.error_pct:
            found[labels_of(labels)] = share
    return found


def _error_groups(rule: Rule, sources: Sources, at: datetime) -> list[Reading]:
    when: ErrorGroup = rule.spec["when"]
    if sources.groups is None:
        raise ErrorGroupsUnavailable
    changes = [
        change
        for change in sources.groups(at - when.over)
        if change.state in when.states and matches(when.where, change.labels)
    ]
    if changes and rule.min_history:
        known_since = sources.known_since(at)
        told = [
            change
            for change in changes
            if change.since - known_since.get(change.labels["component"], datetime.min)
            >= rule.min_history
        ]
        wanted = f"{_span(rule.min_history)} of their component before them"
        sources.unjudged = _not_enough(len(changes) - len(told), len(changes), wanted)
        changes = told
    return [
        replace(_reading(rule, labels, float(len(listed))), context={"groups": listed})
        for labels, listed in digests(changes, when.by).items()
    ]


def _forecast(when: Forecast, sources: Sources, at: datetime) -> Vector:
    found: Vector = {}
    history = sources.history(when.select, at)
    known = {labels: some for labels, some in history.items() if _reaches(some[0], when.min_span)}
    sources.unjudged = _not_enough(len(history) - len(known), len(history), _span(when.min_span))
    for labels, (times, values) in known.items():
        seconds = reaches_in_s(times, values, when)
        if seconds is not None and seconds <= when.within.total_seconds():
            found[labels] = seconds
    return found


def _anomaly(when: Anomaly, sources: Sources, at: datetime) -> Vector:
    if when.season:
        return _seasonal_anomaly(when, sources, at)
    found: Vector = {}
    history = sources.history(when.select, at)
    known = {labels: some for labels, some in history.items() if _reaches(some[0], when.min_span)}
    for labels, (_, values) in known.items():
        distance = distance_in_deviations(values, when)
        if distance is not None and abs(distance) > when.deviations:
            found[labels] = distance
    short = sum(len(values) < when.min_points for _, values in known.values())
    short += len(history) - len(known)
    wanted = f"{when.min_points} points" + f" of {_span(when.min_span)}" * bool(when.min_span)
    sources.unjudged = _not_enough(short, len(history), wanted)
    return found


def _reaches(times: np.ndarray, span: timedelta) -> bool:
    """Whether points (seconds before now, negative) reach back so far; the first of them may be a
    minute's, whose time is that of its last point."""
    return len(times) > 0 and -times[0] + 60 >= span.total_seconds()


def _span(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g} min"


def _seasonal_anomaly(when: Anomaly, sources: Sources, at: datetime) -> Vector:
    found: Vector = {}
    values = sources.vector(when.select, at)
    short = 0
    for labels, value in values.items():
        usual = sources.hours.usual(when.select, labels, at)
        if usual is None or usual.weeks < when.min_weeks:
            short += 1
            continue
        distance = away_in_deviations(value, usual.median, usual.spread, when)
        if distance is not None and abs(distance) > when.deviations:
            found[labels] = distance
    sources.hours.add(when.select, values, at)
    sources.unjudged = _not_enough(short, len(values), f"{when.min_weeks} weeks of this hour")
    return found


def _not_enough(short: int, series: int, wanted: str) -> str:
    return f"not enough history: {short} of {series} series have fewer than {wanted}" * bool(short)


def _sql(when: Sql, sources: Sources, at: datetime) -> Vector:
    return _compared({labels_of(labels): v for labels, v in sources.sql(when, at)}, when.compare)


def _reading(rule: Rule, labels: Labels, value: float) -> Reading:
    if not rule.labels:
        return Reading(rule.name, labels, value)
    own = dict(labels)
    added = {name: rendered(text, own, value) for name, text in rule.labels}
    return Reading(rule.name, labels_of({**own, **added}), value)


_KINDS: Mapping[str, Callable[..., Vector]] = {
    "threshold": _threshold,
    "ratio": _ratio,
    "absence": _absence,
    "burn_rate": _burn_rate,
    "forecast": _forecast,
    "anomaly": _anomaly,
    "sql": _sql,
}
