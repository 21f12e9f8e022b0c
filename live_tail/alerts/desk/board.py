"""What people and programs read of alerting: alerts, what happened to them, deliveries, channels.

Here: looking, under the manager's lock. Not here: changing anything (`manager`), HTTP
(`live_tail/alerts/http`).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.by_hand import UnknownAlert
from live_tail.alerts.notify.dispatch import Routing
from live_tail.alerts.notify.mute import cause_of, silenced_now
from live_tail.alerts.words.life_records import Alert, State
from live_tail.alerts.words.matchers import matches
from privacy.gate.treatments import service as kept_name

_STATES = {State.FIRING: 0, State.ACKNOWLEDGED: 1, State.PENDING: 2}
_SEVERITIES = ("critical", "warning", "info")


class Board:
    """The alerts of a home as they stand: `alerts` by fingerprint and `routing` are asked each time."""

    def __init__(
        self,
        store: Store,
        turn: AbstractContextManager[Any],
        alerts: Callable[[], Mapping[str, Alert]],
        routing: Callable[[], Routing],
    ) -> None:
        self._store, self._turn, self._alerts, self._routing = store, turn, alerts, routing

    def alerts(self, matchers: Sequence[str] = ()) -> list[Alert]:
        """Pending and active alerts, the worst and newest first; raises BadMatcher."""
        with self._turn:
            found = [a for a in self._alerts().values() if a.state is not State.RESOLVED]
        found = [a for a in found if matches(matchers, a.all_labels())]
        return sorted(
            found,
            key=lambda a: (
                _STATES[a.state], bool(a.muted_by), _SEVERITIES.index(a.severity.value),
                -a.started_at.timestamp(),
            ),
        )  # fmt: skip

    def find(self, name: str) -> Alert:
        """An alert by id or fingerprint, resolved ones included; raises by_hand.UnknownAlert."""
        with self._turn:
            known = [*self._alerts().values(), *self._store.history(1_000)]
            # Of an episode that is forgotten the alert's latest one: what somebody was told may be old.
            for part in (name, name.rpartition("-")[0]):
                for alert in known:
                    if len(part) >= 4 and (alert.id == part or alert.fingerprint.startswith(part)):
                        return alert
        raise UnknownAlert(
            f"no alert has the id {kept_name(name)[:40]!r}: see `./tta.sh monitor alerts list`."
        )

    def preview(self, matchers: Sequence[str]) -> list[Alert]:
        """Alerts that fire now and that a silence would mute; raises BadMatcher."""
        with self._turn:
            return silenced_now(matchers, self._alerts().values())

    def cause_of(self, alert: Alert) -> Alert | None:
        """The alert that this one is a consequence of, which may be over."""
        with self._turn:
            return cause_of(alert, self._alerts())

    def receivers_of(self, alert: Alert) -> list[str]:
        """The receivers that the policy routes an alert to."""
        with self._turn:
            return list(dict.fromkeys(p.way.receiver for p in self._routing().places(alert)))

    def history(self, limit: int) -> list[Alert]:
        """Resolved episodes, the newest first."""
        with self._turn:
            return self._store.history(limit)

    def events(self, alert: Alert) -> list[dict[str, Any]]:
        """What happened to an episode: at_us, kind, by."""
        with self._turn:
            return self._store.events(alert.id)

    def told(self, alert: Alert) -> list[dict[str, Any]]:
        """Messages about an alert's groups and its escalation since it began, the oldest first."""
        with self._turn:
            subjects = {place.key for place in self._routing().places(alert)}
            since = alert.fired_at or alert.started_at
            return self._store.outbox.about({*subjects, f"escalation:{alert.id}"}, since)

    def deliveries(self, limit: int) -> list[dict[str, Any]]:
        """The delivery log, the newest first."""
        with self._turn:
            return self._store.outbox.deliveries(limit)

    def channels(self) -> list[dict[str, Any]]:
        """Every channel of the policy and how it fares."""
        with self._turn:
            known = {c["name"]: c for c in self._store.outbox.channels()}
            channels = self._routing().policy.channels
        empty = {"failures": 0, "failing_us": None, "error": "", "ok_us": None}
        return [
            {**empty, **known.get(name, {}), "name": name, "type": channel.type}
            for name, channel in channels.items()
        ]

    def state_of(self, key: str) -> str | None:
        """Where a message stands."""
        with self._turn:
            return self._store.outbox.state_of(key)
