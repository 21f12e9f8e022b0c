"""One round: every rule that is due against the sources, at one time.

Here: the condition of each kind. Not here: reading data (`sources`), `for`, N of M and everything
that happens to an alert afterwards (`life`). A rule that fails is unknown, not resolved.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from live_tail.alerts.reading.matching import Vector, matches
from live_tail.alerts.reading.rule_sources import ErrorGroupsUnavailable, Sources
from live_tail.alerts.reading.selecting import Expr, Sql
from live_tail.alerts.rules.expressions import combined, vector_of
from live_tail.alerts.rules.remembering import anomaly, forecast, not_enough, span_text
from live_tail.alerts.rules.rule_files import rendered
from live_tail.alerts.rules.rule_spec import (
    Absence,
    BurnRate,
    ErrorGroup,
    Ratio,
    Threshold,
)
from live_tail.alerts.words.digests import digests
from live_tail.alerts.words.rule_records import Labels, Reading, Round, Rule, labels_of

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
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
        wanted = f"{span_text(rule.min_history)} since they were first heard of"
        sources.unjudged = not_enough(len(found) - len(kept), len(found), wanted)
    return kept


def worst_of(symbol: str) -> str:
    """Which of series with equal labels is the worst under a comparison."""
    return "min" if symbol in {"<", "<=", "=="} else "max"


def _threshold(when: Threshold, sources: Sources, at: datetime) -> Vector:
    symbol = when.compare[0] if when.compare else when.operator
    values = vector_of(when.value, sources, at, worst=worst_of(symbol))
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
    return _compared(combined("divide", shares, enough), when.compare)


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
        wanted = f"{span_text(rule.min_history)} of their component before them"
        sources.unjudged = not_enough(len(changes) - len(told), len(changes), wanted)
        changes = told
    return [
        replace(_reading(rule, labels, float(len(listed))), context={"groups": listed})
        for labels, listed in digests(changes, when.by).items()
    ]


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
    "forecast": forecast,
    "anomaly": anomaly,
    "sql": _sql,
}
