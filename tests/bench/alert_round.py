"""One alert round with 10,000 firing series, on one core: `python -m tests.bench.alert_round`.

Here: a window of 10,000 series, one rule that fires for each, the shipped rules beside it, and what
becomes of the alerts: their life, mutes, groups, escalation and the commit to disk.
"""

import gc
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.desk.service import GC_THRESHOLD
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.notify_policy import load_policy
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.rounds import Rounds
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.rules.rule_spec import Threshold
from live_tail.alerts.trials.promtest_input import landed
from live_tail.alerts.words.rule_records import Rule, Severity
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore

SERIES = 10_000
_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def alert_round() -> dict[str, Any]:
    """Milliseconds of a whole round: evaluation and everything that becomes of its readings.

    Once with what is shipped, once at its worst: all critical, told to a webhook that names every
    alert, and escalated after five minutes.
    """
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    gc.set_threshold(*GC_THRESHOLD)
    wall, cpu = _rounds(24, Severity.WARNING)
    told, told_cpu = _rounds(24, Severity.CRITICAL, webhook="http://127.0.0.1:9/")
    return {
        # The first round fires ten thousand alerts at once, the third tells of them.
        "alert_round_10000_begin_firing_ms": round(wall[0] * 1e3),
        "alert_round_10000_firing_p50_ms": round(statistics.median(wall[1:]) * 1e3),
        "alert_round_10000_firing_worst_ms": round(max(wall[1:]) * 1e3),
        "alert_round_10000_begin_firing_cpu_ms": round(cpu[0] * 1e3),
        "alert_round_10000_firing_cpu_p50_ms": round(statistics.median(cpu[1:]) * 1e3),
        "alert_round_10000_firing_cpu_worst_ms": round(max(cpu[1:]) * 1e3),
        "alert_round_10000_critical_begin_ms": round(told[0] * 1e3),
        "alert_round_10000_critical_webhook_p50_ms": round(statistics.median(told[1:]) * 1e3),
        "alert_round_10000_critical_webhook_worst_ms": round(max(told[1:]) * 1e3),
        "alert_round_10000_critical_begin_cpu_ms": round(told_cpu[0] * 1e3),
        "alert_round_10000_critical_webhook_cpu_worst_ms": round(max(told_cpu[1:]) * 1e3),
        "loadavg": round(os.getloadavg()[0], 1),
    }


def _rounds(
    rounds: int, severity: Severity, *, webhook: str = ""
) -> tuple[list[float], list[float]]:
    """Seconds of each round on the clock and of the processor; a round every 15 s."""
    now = _AT
    window = Window(minutes=60, max_errors=10, clock=lambda: now)
    window.cursor().execute("SET threads = 1")
    rows = [
        {"metric": "load", "kind": "gauge", "event_at": _AT.replace(tzinfo=None), "component": "c",
         "attributes": [("number", str(n))], "value": 5.0 + n}
        for n in range(SERIES)
    ]  # fmt: skip
    window.ingest("metric_points", [(1, landed("metric_points", rows))])
    value = {"metric": "load", "over": "30m"}
    when = Threshold.model_validate({"value": value, "compare": "> 1"})
    rule = Rule("Load", "threshold", {"when": when}, severity, "s", every=timedelta(0))
    shipped = [r for r in load_rules([SHIPPED]) if r.kind != "error_group"]
    maker = Rounds(Sources(window), [rule, *shipped])
    rules = {r.name: r for r in maker.rules}
    cpu: list[float] = []
    wall: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        keys = KeyStore.open(home, create=True)
        policy = load_policy(home, webhook)
        manager = Manager(Store(home, keys), lambda: policy, clock=lambda: now)
        for _ in range(rounds):
            now += timedelta(seconds=15)
            started, started_s = time.process_time(), time.perf_counter()
            made = maker.make(now)
            manager.take(made, rules)
            cpu.append(time.process_time() - started)
            wall.append(time.perf_counter() - started_s)
            assert sum(r.rule == "Load" for r in made.readings) == SERIES
    return wall, cpu


if __name__ == "__main__":
    print(alert_round())
