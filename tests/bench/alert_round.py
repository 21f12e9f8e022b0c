"""One alert round with 10,000 firing series, on one core: `python -m tests.bench.alert_round`.

Here: a window of 10,000 series, one rule that fires for each, and the shipped rules beside it.
"""

import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from live_tail.alerts import life
from live_tail.alerts.model import Rule, Severity
from live_tail.alerts.promtest import landed
from live_tail.alerts.records import Book
from live_tail.alerts.rounds import Rounds
from live_tail.alerts.rule_files import SHIPPED, load_rules
from live_tail.alerts.sources import Sources
from live_tail.alerts.spec import Threshold
from live_tail.window import Window

SERIES = 10_000
_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def alert_round(rounds: int = 10) -> dict[str, Any]:
    """Seconds of one round (evaluation) and of the life step after it."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    now = _AT
    window = Window(minutes=60, max_errors=10, clock=lambda: now)
    window.cursor().execute("SET threads = 1")
    rows = [
        {"metric": "load", "kind": "gauge", "event_at": _AT.replace(tzinfo=None), "component": "c",
         "attributes": [("number", str(n))], "value": 5.0 + n}
        for n in range(SERIES)
    ]  # fmt: skip
    window.ingest("metric_points", [(1, landed("metric_points", rows))])
    when = Threshold.model_validate({"value": {"metric": "load"}, "compare": "> 1"})
    rule = Rule("Load", "threshold", {"when": when}, Severity.WARNING, "s", every=timedelta(0))
    shipped = [r for r in load_rules([SHIPPED]) if r.kind != "error_group"]
    maker = Rounds(Sources(window), [rule, *shipped])
    rules = {r.name: r for r in maker.rules}
    book, evaluated, lived = Book({}, {}), [], []
    for _ in range(rounds):
        now += timedelta(seconds=15)
        started = time.process_time()
        made = maker.make(now)
        between = time.process_time()
        book, _ = life.step(book, made, rules)
        evaluated.append(between - started)
        lived.append(time.process_time() - between)
        assert sum(r.rule == "Load" for r in made.readings) == SERIES
    return {
        "alert_round_10000_firing_ms": round(statistics.median(evaluated) * 1e3),
        "alert_round_10000_firing_worst_ms": round(max(evaluated) * 1e3),
        "alert_life_step_10000_firing_ms": round(statistics.median(lived) * 1e3),
    }


if __name__ == "__main__":
    print(alert_round())
