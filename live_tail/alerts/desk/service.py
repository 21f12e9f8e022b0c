"""Alerting inside the live tail process: the store, the policy and the thread that ticks.

Here: putting the parts together, the passing of time, and the threads beside it: the fast lane,
the facts for the warehouse. Not here: what a tick does (`manager`), what is fast (`fast_lane`).
"""

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from ingestion.doors.own_receiver import OwnDoor, log_sender
from ingestion.processes import passes
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.desk.facts_out import FactsOut
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.desk.site_files import SiteFiles
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.alert_tables import Tables
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.rules.fast_lane import FastLane
from live_tail.alerts.rules.rounds import DueRounds
from live_tail.window.follow import Follower
from live_tail.window.opened import Opened
from privacy.keys.key_store import KeyStore
from privacy.process_log.log import logger, place_of

_log = logger()
_TICK_S = 1.0
_REBUILD_S = 120.0
# Thousands of alerts are many small objects and no cycles: with Python's own thresholds a third of a
# round is looking for garbage.
GC_THRESHOLD = (10_000, 20, 20)


class AlertService:
    """Takes rounds as they come and lets time pass between them.

    `spool` is a connection of the fast lane's own, `opened` where it leaves what it opened for the
    `follower`, `error_rules_problem` says why errors.yaml was not taken; the `files` of the
    site are looked at between rounds.
    """

    def __init__(
        self,
        settings: Settings,
        keys: KeyStore,
        rounds: DueRounds,
        *,
        spool: Spool,
        opened: Opened,
        follower: Follower,
        error_rules_problem: Callable[[], str] = lambda: "",
        files: SiteFiles,
    ) -> None:
        policy = WatchedPolicy(settings.home, settings.alerting.webhook_url)
        began_at = datetime.now(UTC)
        self.manager = Manager(
            Store(settings.home, keys),
            policy,
            app_url=f"http://{settings.app.host}:{settings.app.port}",
            policy_problem=lambda: policy.problem,
            error_rules_problem=error_rules_problem,
            batch_problems=lambda: passes.problems(settings, datetime.now(UTC), began_at),
            wrong_files=lambda: files.wrong,
        )
        self._rounds, self._follower, self._files = rounds, follower, files
        self._has_all, self._began_s = False, time.monotonic()
        self._awake, self._stopping = threading.Event(), threading.Event()
        self._fast = FastLane(
            spool,
            settings.home,
            lambda: rounds.rules,
            self.manager.hasten,
            poll_s=settings.live.poll_ms / 1_000,
            opened=opened,
            failed=self._hasten,
        )
        self._facts = FactsOut(Tables(settings.home, keys), log_sender(OwnDoor.of(settings)))
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
        self._awake.set()
        self._fast.stop()
        self._facts.stop()
        for thread in self._threads:
            thread.join(timeout=5)

    def tick(self) -> None:
        """A round when one is due, else time passes.

        After a start the window is being rebuilt: what it lacks then is no sign of anything.
        """
        self._look_at_files()
        if not self._rounds.is_due() or not self._is_rebuilt():
            self.manager.tick()
            return
        self._follower.take_in(unless_fresh=False)
        known = self._follower.live_seq
        if self._fast.is_passed(known):
            self._rounds.hasten(frozenset({"failures"}))
        made, rules = self._rounds.make()
        readings = (*made.readings, *self._fast.ahead(known))
        self.manager.take(replace(made, readings=readings), rules)

    def _look_at_files(self) -> None:
        try:
            self._files.look()
        except Exception as error:  # noqa: BLE001 - rules are judged whatever the files of a site are like
            _log.error("files of the site could not be looked at", cause=place_of(error))

    def _is_rebuilt(self) -> bool:
        if not self._has_all:
            waited_s = time.monotonic() - self._began_s
            self._has_all = self._follower.is_ready() or waited_s > _REBUILD_S
        return self._has_all

    def _hasten(self, facts: frozenset[str]) -> None:
        """Something failed: rules that wait for it are looked at now."""
        self._rounds.hasten(facts)
        self._awake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._awake.wait(_TICK_S)
            self._awake.clear()
            started_s = time.monotonic()
            try:
                self.tick()
            except Exception as error:  # noqa: BLE001 - alerting must outlive one bad round
                _log.error("an alert round failed, trying again", cause=type(error).__name__)
            # Ten thousand alerts take a fifth of a second: the live view gets its share too.
            self._stopping.wait(time.monotonic() - started_s)
