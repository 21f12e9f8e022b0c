"""What an alert's life consists of: alert, event, silence, group, notification.

Here: frozen records. Not here: their JSON form (`stored`), what changes them (`live_tail/alerts/life`,
`live_tail/alerts/notify`). Every text in them is a constant of a rule, a label that passed the gate, or was
scrubbed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from live_tail.alerts.words.rule_records import Inhibition, Labels, Severity


class State(StrEnum):
    """Where an alert is in its life."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


ACTIVE = frozenset({State.FIRING, State.ACKNOWLEDGED})
EXTERNAL = "external"
BY_HAND = "resolved by hand"


@dataclass(frozen=True)
class Listed:
    """An error group in a digest: its title and place are skeletons, `count` is what was seen lately,
    `since` (UTC) when it became what `state` says."""

    key: str
    error: str
    place: str
    state: str
    count: int
    since: datetime


@dataclass(frozen=True)
class Alert:
    """One series of one rule; `episode` counts how often it fired.

    `held` and `quiet` are observed time with and without the condition, so a stopped process or a
    jumping clock neither fires nor resolves anything. `history` holds the last M rounds.
    `groups` are the error groups it is about, `known` the keys that its `edition` tells of: a digest
    that grew appears again, at `edition_at` the last time.
    """

    fingerprint: str
    rule: str
    labels: Labels
    severity: Severity
    state: State
    started_at: datetime
    summary: str = ""
    effect: str = ""
    runbook: tuple[str, ...] = ()
    runbook_url: str = ""
    route: str = ""
    is_fast: bool = False
    inhibits: tuple[Inhibition, ...] = ()
    source: str = "rule"
    episode: int = 0
    value: float | None = None
    values: tuple[float | None, ...] = ()
    frames: tuple[str, ...] = ()
    groups: tuple[Listed, ...] = ()
    known: frozenset[str] = frozenset()
    edition: int = 1
    edition_at: datetime | None = None
    held: timedelta = timedelta(0)
    quiet: timedelta = timedelta(0)
    history: tuple[bool, ...] = ()
    fired_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    note: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""
    reason: str = ""
    ends_at: datetime | None = None
    muted_by: tuple[str, ...] = ()
    unmuted_at: datetime | None = None
    is_reopened: bool = False
    recent_fires: tuple[datetime, ...] = ()
    level: int = 0
    level_at: datetime | None = None

    def but(self, **changes: Any) -> "Alert":
        """The alert with other values in these fields; raises TypeError for what is no field.

        Every alert passes here in every round: `dataclasses.replace` would take five times as long.
        """
        if not changes.keys() <= self.__dict__.keys():
            raise TypeError(
                f"no fields of an alert: {sorted(changes.keys() - self.__dict__.keys())}"
            )
        after = object.__new__(Alert)
        after.__dict__.update(self.__dict__, **changes)
        return after

    @property
    def id(self) -> str:
        """Fingerprint and episode: names one firing of this alert for ever."""
        return f"{self.fingerprint}-{self.episode}"

    @property
    def telling(self) -> str:
        """Names what a receiver is told once: this firing, of a digest each edition."""
        return self.id if self.edition == 1 else f"{self.id}.{self.edition}"

    @property
    def heard_at(self) -> datetime | None:
        """From when somebody could hear of it: it fired, or a mute ended."""
        return self.unmuted_at or self.fired_at

    @property
    def is_active(self) -> bool:
        """Firing, acknowledged or not."""
        return self.state in ACTIVE

    def all_labels(self) -> dict[str, str]:
        """The labels that matchers see: the alert's own, `alertname`, `rule` and `severity`."""
        own = {"alertname": self.rule, "rule": self.rule, "severity": self.severity.value}
        return {**dict(self.labels), **own}


@dataclass(frozen=True)
class Event:
    """Something that happened to an alert; `by` is an account or the name of a mute."""

    at: datetime
    kind: str
    alert: Alert
    by: str = ""


@dataclass(frozen=True)
class Silence:
    """Mutes what matches until `ends_at`; the comment is a skeleton."""

    id: str
    matchers: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Group:
    """Alerts that one receiver is told about together (Alertmanager's aggregation group)."""

    key: str
    receiver: str
    labels: Labels
    flush_at: datetime
    sent_at: datetime | None = None
    told: frozenset[str] = frozenset()
    sequence: int = 0


@dataclass(frozen=True)
class Notification:
    """What one channel is to be told once; `key` is its dedup key, the outbox has it only once.

    `subject` is what it is about (group or escalation): a later delivery on the same subject
    replaces an unconfirmed one. `again_after` is the repeat interval.
    """

    key: str
    subject: str
    channel: str
    receiver: str
    reason: str
    firing: tuple[Alert, ...]
    resolved: tuple[Alert, ...]
    group_labels: Labels = ()
    again_after: timedelta = timedelta(hours=4)
    target: str = ""


@dataclass(frozen=True)
class Book:
    """All alerts by fingerprint and the groups by key, as of the last round."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    at: datetime | None = None
