"""What an HTTP door turned away before anybody was asked who they are: counted, and told.

Here: counts by reason for `/metrics`, and audit entries, at most one a minute and reason, so that a flood of
strangers does not fill the log. Not here: the refusing (`known_hosts`), and refusals of somebody known
(`privacy/access/access_policy`).
"""

import threading
import time
from collections import Counter
from collections.abc import Callable

from prometheus_client.core import CounterMetricFamily

from privacy.audit.audit_log import AuditLog

ACTION = "access.door"
FOREIGN_HOST, FOREIGN_ORIGIN = "foreign_host", "foreign_origin"
_NOTED_EVERY_S = 60.0


class TurnedAway:
    """The counts of one door of one process; safe across threads."""

    def __init__(
        self, door: str, log: AuditLog, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._door, self._log, self._clock = door, log, clock
        self.counts = Counter({FOREIGN_HOST: 0, FOREIGN_ORIGIN: 0})
        self._unnoted: Counter[str] = Counter()
        self._noted_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, why: str) -> None:
        """Count one; the entry holds how many there were since the last."""
        with self._lock:
            self.counts[why] += 1
            self._unnoted[why] += 1
            now = self._clock()
            if now - self._noted_at.get(why, -_NOTED_EVERY_S) < _NOTED_EVERY_S:
                return
            self._noted_at[why] = now
            calls = self._unnoted.pop(why)
        self._log.append(
            actor="unknown",
            action=ACTION,
            target=self._door,
            outcome="refused",
            why=why,
            calls=calls,
        )

    def family(self) -> CounterMetricFamily:
        """The counts as a family of the exposition."""
        family = CounterMetricFamily(
            "tta_monitor_turned_away_requests",
            "Requests refused for a foreign Host or a foreign Origin.",
            labels=["door", "reason"],
        )
        for why, count in sorted(self.counts.items()):
            family.add_metric([self._door, why], count)
        return family
