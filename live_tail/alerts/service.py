"""Alerting inside the live tail process: the store, the policy and the thread that ticks.

Here: putting the parts together and the passing of time. Not here: what a tick does (`manager`).
"""

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from ingestion.settings import Settings
from live_tail.alerts.manager import Manager
from live_tail.alerts.model import Round, Rule
from live_tail.alerts.notifier import WatchedPolicy
from live_tail.alerts.store import Store
from privacy.keys import KeyStore

_log = structlog.get_logger()
_TICK_S = 0.25
Rounds = Callable[[], tuple[Round, Mapping[str, Rule]] | None]


class AlertService:
    """Takes rounds as they come and lets time pass between them."""

    def __init__(self, settings: Settings, keys: KeyStore, rounds: Rounds | None = None) -> None:
        policy = WatchedPolicy(settings)
        self.manager = Manager(
            Store(settings.home, keys),
            policy,
            app_url=f"http://{settings.app.host}:{settings.app.port}",
            policy_problem=lambda: policy.problem,
        )
        self._rounds = rounds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin ticking."""
        self._thread.start()

    def stop(self) -> None:
        """End after the tick at hand."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        wait_s = _TICK_S
        while not self._stopping.wait(wait_s):
            started_s = time.monotonic()
            try:
                found = self._rounds() if self._rounds else None
                if found is None:
                    self.manager.tick()
                else:
                    self.manager.take(*found)
            except Exception as error:  # noqa: BLE001 - alerting must outlive one bad round
                _log.error("an alert round failed, trying again", cause=type(error).__name__)
                self._stopping.wait(1)
            # Ten thousand alerts take a fifth of a second: the live view gets its share too.
            wait_s = max(_TICK_S, time.monotonic() - started_s)
