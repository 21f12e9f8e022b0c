"""Conditions that look back: forecasts and anomalies, which are judged by the history of a series.

Here: whether a series has enough of it, and what is said when it has not. Not here: the mathematics
(`trend`), keeping what seasonal rules saw (`live_tail/alerts/reading/seasons`).
"""

from datetime import datetime, timedelta

import numpy as np

from live_tail.alerts.reading.matching import Vector
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.rule_spec import (
    Anomaly,
    Forecast,
)
from live_tail.alerts.rules.trend import away_in_deviations, distance_in_deviations, reaches_in_s


def forecast(when: Forecast, sources: Sources, at: datetime) -> Vector:
    """Seconds until series that are on their way to the limit reach it."""
    found: Vector = {}
    history = sources.history(when.select, at)
    known = {labels: some for labels, some in history.items() if _reaches(some[0], when.min_span)}
    sources.unjudged = not_enough(len(history) - len(known), len(history), span_text(when.min_span))
    for labels, (times, values) in known.items():
        seconds = reaches_in_s(times, values, when)
        if seconds is not None and seconds <= when.within.total_seconds():
            found[labels] = seconds
    return found


def anomaly(when: Anomaly, sources: Sources, at: datetime) -> Vector:
    """How many deviations series are away that are further away than is allowed."""
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
    wanted = f"{when.min_points} points" + f" of {span_text(when.min_span)}" * bool(when.min_span)
    sources.unjudged = not_enough(short, len(history), wanted)
    return found


def _reaches(times: np.ndarray, span: timedelta) -> bool:
    """Whether points (seconds before now, negative) reach back so far; the first of them may be a
    minute's, whose time is that of its last point."""
    return len(times) > 0 and -times[0] + 60 >= span.total_seconds()


def span_text(span: timedelta) -> str:
    """A time as people are told it."""
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
    sources.unjudged = not_enough(short, len(values), f"{when.min_weeks} weeks of this hour")
    return found


def not_enough(short: int, series: int, wanted: str) -> str:
    """Why some series are not judged, empty when all are."""
    return f"not enough history: {short} of {series} series have fewer than {wanted}" * bool(short)
