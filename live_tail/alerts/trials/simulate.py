"""Rules in simulated time: facts arrive, rounds are made, every alert's life is written down.

Here: the clock, the window and the life of alerts that `alerts test` and `alerts backtest` share.
Not here: where facts come from (`promtest`, `backtest`). Nothing here is kept or told to anybody.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.meaning.errors.group_store import ErrorStore
from live_tail.alerts.life import transitions
from live_tail.alerts.notify.mute import mutes
from live_tail.alerts.notify.notify_policy import SHIPPED, load_policy
from live_tail.alerts.reading.rule_sources import Sources, group_changes
from live_tail.alerts.reading.seasons import Hours
from live_tail.alerts.rules.rounds import Rounds
from live_tail.alerts.rules.rule_files import rendered
from live_tail.alerts.words.life_records import Alert, Book, State
from live_tail.alerts.words.rule_records import Rule
from live_tail.window.error_groups import HotErrors
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore

_TIDY = timedelta(seconds=60)


@dataclass
class Life:
    """One episode of an alert; times are UTC, None where it did not get so far."""

    rule: str
    severity: str
    labels: dict[str, str]
    summary: str
    is_fast: bool
    pending_at: datetime
    firing_at: datetime | None = None
    resolved_at: datetime | None = None
    value: float | None = None
    inhibited_by: list[dict[str, Any]] = field(default_factory=list)


class Simulation:
    """A window and a book of alerts under a clock that only `advance` moves."""

    def __init__(
        self,
        rules: Sequence[Rule],
        start: datetime,
        *,
        minutes: int = 60,
        hours: Hours | None = None,
    ) -> None:
        self.now = start
        needs_groups = any(rule.kind == "error_group" for rule in rules)
        # What groups were is kept in a home of its own, which goes with the simulation.
        self._home = tempfile.TemporaryDirectory() if needs_groups else None
        self.window = Window(
            minutes=minutes,
            max_errors=2_000,
            clock=lambda: self.now,
            hot_errors=_errors_in(Path(self._home.name)) if self._home else None,
        )
        # What arrives between two rounds is little: a second thread costs more than it does.
        self.window.cursor().execute("SET threads = 1")
        self._sources = Sources(
            self.window,
            groups=(lambda since: group_changes(self.window, since)) if needs_groups else None,
            hours=hours or Hours(),
        )
        self._rounds = Rounds(self._sources, rules)
        self._rules = {rule.name: rule for rule in rules}
        self._policy = load_policy(SHIPPED.parent)
        self._book = Book({}, {})
        self._open: dict[str, Life] = {}
        self._newest: dict[str, Life] = {}
        self._seq = 0
        self._tidied_at = start
        self.lives: list[Life] = []
        self.failed: dict[str, str] = {}
        self.unjudged: dict[str, str] = {}
        self.unjudged_now: Mapping[str, str] = {}

    def ingest(self, arrived: Mapping[str, Sequence[pa.Table]]) -> None:
        """Facts by signal that arrived since the last round."""
        for signal, tables in arrived.items():
            first, self._seq = self._seq + 1, self._seq + len(tables)
            self.window.ingest(signal, list(enumerate(tables, start=first)))

    def advance(self, to: datetime) -> None:
        """Move the clock and make one round."""
        self.now = to
        if to - self._tidied_at >= _TIDY:
            self.window.tidy()
            self._tidied_at = to
        # There is no fast lane here: whatever begins with a failure is looked at in every round.
        self._rounds.hasten(to)
        made = self._rounds.make(to)
        self.failed |= made.failed
        self.unjudged_now = made.unjudged
        self.unjudged |= made.unjudged
        self._book, _ = transitions.step(self._book, made, self._rules)
        muted = mutes(self._book.alerts.values(), (), self._policy, made.uses, to)
        for name, alert in self._book.alerts.items():
            self._note(name, alert, muted.get(name, ()))
        for name in set(self._open) - set(self._book.alerts):
            # Pending that never fired is forgotten by the book.
            self._open.pop(name).resolved_at = to

    def active(self) -> list[Life]:
        """Episodes that fire now, inhibited ones included."""
        return [one for one in self._open.values() if one.firing_at and not one.resolved_at]

    def _note(self, name: str, alert: Alert, muted_by: tuple[str, ...]) -> None:
        if alert.state is State.RESOLVED:
            if name in self._open:
                self._open.pop(name).resolved_at = alert.resolved_at or self.now
            return
        if name not in self._open:
            self._open[name] = self._newest[name] = self._begun(alert)
            self.lives.append(self._open[name])
        one = self._open[name]
        one.value = alert.value
        if alert.is_active and one.firing_at is None:
            one.firing_at = self.now
            one.summary = rendered(self._rules[alert.rule].summary, one.labels, alert.value)
        for mute in muted_by:
            source = self._newest.get(mute.partition(":")[2])
            if source is not None:
                entry = {"rule": source.rule, "labels": source.labels}
                if entry not in one.inhibited_by:
                    one.inhibited_by.append(entry)

    def _begun(self, alert: Alert) -> Life:
        labels = dict(alert.labels)
        rule = self._rules[alert.rule]
        return Life(
            rule=alert.rule,
            severity=alert.severity.value,
            labels=labels,
            summary=rendered(rule.summary, labels, alert.value),
            is_fast=rule.is_fast,
            pending_at=alert.started_at,
            value=alert.value,
        )


def _errors_in(home: Path) -> HotErrors:
    return HotErrors(ErrorStore(home, KeyStore.open(home, create=True)))


def as_json(one: Life) -> dict[str, Any]:
    """An episode as JSON values, times in RFC 3339."""
    times = ("pending_at", "firing_at", "resolved_at")
    plain = dict(one.__dict__)
    for name in times:
        at = plain[name]
        plain[name] = at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
    return plain
