"""What is asked at each time to draw what a rule measures, by its kind.

Here: from a rule to a question with its unit and threshold. Not here: which times (`curves`), units
(`curve_units`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from live_tail.alerts.reading.matching import Vector
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.reading.selecting import Sql
from live_tail.alerts.rules.curve_units import Scale, of_expression, span_words
from live_tail.alerts.rules.evaluate import worst_of
from live_tail.alerts.rules.expressions import combined, vector_of
from live_tail.alerts.rules.rule_spec import Anomaly, BurnRate, Forecast, Ratio, Threshold
from live_tail.alerts.words.rule_records import Rule, labels_of


@dataclass(frozen=True)
class Sampled:
    """What is asked at a time (UTC without zone), how its values read, and from where on it alerts."""

    at: Callable[[datetime], Vector]
    scale: Scale
    symbol: str = ""
    threshold: float | None = None


def sampling(rule: Rule, sources: Sources) -> Sampled | None:
    """The question of a rule; None for a kind that measures nothing over time."""
    when = rule.spec.get("when")
    made = _KINDS.get(type(when))
    return made(when, sources) if made else None


def _threshold(when: Threshold, sources: Sources) -> Sampled:
    symbol = when.compare[0] if when.compare else when.operator

    def at(moment: datetime) -> Vector:
        return vector_of(when.value, sources, moment, worst=worst_of(symbol))

    threshold = when.compare[1] if when.compare else None
    return Sampled(at, of_expression(when.value), symbol, threshold)


def _ratio(when: Ratio, sources: Sources) -> Sampled:
    def at(moment: datetime) -> Vector:
        part, whole = (vector_of(one, sources, moment) for one in (when.part, when.whole))
        return combined("divide", {labels: part.get(labels, 0.0) for labels in whole}, whole)

    scale = Scale("%", 100.0, f"{of_expression(when.part).what}, of all")
    return Sampled(at, scale, *when.compare)


def _burn_rate(when: BurnRate, sources: Sources) -> Sampled:
    over: timedelta = when.short or when.long

    def at(moment: datetime) -> Vector:
        found = sources.minutes(moment, over)
        return {
            labels_of({"component": component, "source": source}): 100.0 * bad / total
            for (component, source), (bad, total) in found.items()
            if total
        }

    return Sampled(at, Scale("%", 1.0, f"failed in {span_words(over)}"), ">", when.error_pct)


def _forecast(when: Forecast, sources: Sources) -> Sampled:
    symbol = ">=" if when.direction == "up" else "<="
    scale = of_expression(when.select)
    return Sampled(lambda at: vector_of(when.select, sources, at), scale, symbol, when.limit)


def _anomaly(when: Anomaly, sources: Sources) -> Sampled:
    return Sampled(lambda at: vector_of(when.select, sources, at), of_expression(when.select))


def _sql(when: Sql, sources: Sources) -> Sampled | None:
    if when.source != "hot" or "$now" not in when.query:
        return None

    def at(moment: datetime) -> Vector:
        return {labels_of(labels): value for labels, value in sources.sql(when, moment)}

    return Sampled(at, Scale("", 1.0, "what the rule's query counts"), *when.compare)


_KINDS: Mapping[Any, Callable[[Any, Sources], Sampled | None]] = {
    Threshold: _threshold,
    Ratio: _ratio,
    BurnRate: _burn_rate,
    Forecast: _forecast,
    Anomaly: _anomaly,
    Sql: _sql,
}
