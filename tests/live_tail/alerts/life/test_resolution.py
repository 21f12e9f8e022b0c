"""How well alerts are dealt with, by week: what nobody measured is None, and not 0."""

from datetime import datetime, timedelta
from typing import Any

from live_tail.alerts.life.resolution import weekly
from live_tail.alerts.words.life_records import Alert, State
from live_tail.alerts.words.rule_records import Severity

MONDAY = datetime.fromisoformat("2026-03-02T00:00:00+00:00")
S = timedelta(seconds=1)


def fired(after: timedelta, **more: Any) -> Alert:
    labels = (("component", "api"),)
    at = MONDAY + after
    return Alert("f", "Hot", labels, Severity.WARNING, State.FIRING, at, fired_at=at, **more)


def test_an_alert_that_nobody_looked_at_is_noise_and_has_no_times() -> None:
    assert weekly([fired(S)]) == [
        {"week": "2026-03-02", "rule": "Hot", "component": "api", "severity": "warning", "fired": 1,
         "acted_on": 0, "noise_pct": 100.0, "reopened": 0, "mtta_s": None, "mttr_s": None, "mtbf_s": None}
    ]  # fmt: skip


def test_times_are_means_over_those_that_have_them() -> None:
    (week,) = weekly(
        [
            fired(70 * S, acknowledged_at=MONDAY + 100 * S, resolved_at=MONDAY + 170 * S),
            fired(10 * S, acknowledged_at=MONDAY + 20 * S, is_reopened=True),
            fired(100 * S, resolved_at=MONDAY + 101 * S, resolved_by="anna"),
            fired(130 * S),
        ]
    )
    figures = {name: week[name] for name in ("fired", "acted_on", "noise_pct", "reopened")}
    assert figures == {"fired": 4, "acted_on": 3, "noise_pct": 25.0, "reopened": 1}
    assert (week["mtta_s"], week["mttr_s"], week["mtbf_s"]) == (20.0, 50.5, 40.0)


def test_weeks_begin_on_monday_the_newest_first_and_what_never_fired_counts_nowhere() -> None:
    waiting = Alert("p", "Hot", (), Severity.INFO, State.PENDING, MONDAY)
    found = weekly(
        [waiting, fired(-S), fired(timedelta(days=6, hours=23)), fired(timedelta(days=7))]
    )
    assert [(row["week"], row["fired"]) for row in found] == [
        ("2026-03-09", 1), ("2026-03-02", 1), ("2026-02-23", 1),
    ]  # fmt: skip
