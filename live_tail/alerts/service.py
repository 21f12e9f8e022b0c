"""Alerting inside the live tail process: the store, the policy and the thread that ticks.

Here: putting the parts together, the passing of time, and the threads beside it: the fast lane,
the facts for the warehouse. Not here: what a tick does (`manager`), what is fast (`fast_lane`).
"""

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from ingestion.collectors.log_files import log_sender
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.facts_out import FactsOut
from live_tail.alerts.fast_lane import FastLane
from live_tail.alerts.manager import Manager
from live_tail.alerts.notifier import WatchedPolicy
from live_tail.alerts.rounds import DueRounds
from live_tail.alerts.store import Store
from privacy.keys import KeyStore
from privacy.logs import logger

_log = logger()
_TICK_S = 0.25
# Thousands of alerts are many small objects and no cycles: with Python's own thresholds a third of a
# round is looking for garbage.
GC_THRESHOLD = (10_000, 20, 20)


class AlertService:
    """Takes rounds as they come and lets time pass between them.

    `spool` is a connection of the fast lane's own, `live_seq` says up to where the window has
    read, `error_rules_problem` why errors.yaml was not taken.
    """

    def __init__(
        self,
        settings: Settings,
        keys: KeyStore,
        rounds: DueRounds,
        *,
        spool: Spool,
        live_seq: Callable[[], int],
        error_rules_problem: Callable[[], str] = lambda: "",
    ) -> None:
        policy = WatchedPolicy(settings)
        self.manager = Manager(
            Store(settings.home, keys),
            policy,
            app_url=f"http://{settings.app.host}:{settings.app.port}",
            policy_problem=lambda: policy.problem,
            error_rules_problem=error_rules_problem,
        )
        self._rounds, self._live_seq = rounds, live_seq
        self._fast = FastLane(spool, settings.home, lambda: rounds.rules, self.manager.hasten)
        self._facts = FactsOut(Store(settings.home, keys), log_sender(settings))
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="alerts", daemon=True),
            threading.Thread(target=self._fast.run, name="fast lane", daemon=True),
            threading.Thread(target=self._facts.run, name="alert facts", daemon=True),
        ]

    def start(self) -> None:
        """Begin ticking."""
        gc.set_threshold(*GC_THRESHOLD)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the tick at hand."""
        self._stopping.set()
        self._fast.stop()
        self._facts.stop()
        for thread in self._threads:
            thread.join(timeout=5)

    def _run(self) -> None:
        wait_s = _TICK_S
        while not self._stopping.wait(wait_s):
            started_s = time.monotonic()
            try:
                known = self._live_seq()
                found = self._rounds()
                if found is None:
                    self.manager.tick()
                else:
                    made, rules = found
                    readings = (*made.readings, *self._fast.ahead(known))
                    self.manager.take(replace(made, readings=readings), rules)
            except Exception as error:  # noqa: BLE001 - alerting must outlive one bad round
                _log.error("an alert round failed, trying again", cause=type(error).__name__)
                self._stopping.wait(1)
            # Ten thousand alerts take a fifth of a second: the live view gets its share too.
            wait_s = max(_TICK_S, time.monotonic() - started_s)
