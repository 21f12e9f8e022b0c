"""The life of a group: new, ongoing, escalating, regressed, resolved, muted. Pure functions.

Here: what an occurrence and a person's decision do to a group. Not here: keeping it (`group_store`) and the
test behind *escalating* (`escalation`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

NEW_FOR = timedelta(hours=24)
REGRESSED_FOR = timedelta(days=7)
MAX_COMPONENTS = 20
_RELEASE = re.compile(
    r"(?:[\w.-]+@)?v?(\d+(?:\.\d+)*)(?:[-.]?(a|alpha|b|beta|rc|pre|dev)[-.]?(\d*))?"
)
_PRE = {"dev": 0, "a": 1, "alpha": 1, "b": 2, "beta": 2, "pre": 3, "rc": 3}


class State(StrEnum):
    """What a person should think of a group."""

    NEW = "new"
    ONGOING = "ongoing"
    ESCALATING = "escalating"
    REGRESSED = "regressed"
    RESOLVED = "resolved"
    MUTED = "muted"


@dataclass(frozen=True)
class GroupRecord:
    """Everything kept about a group; times UTC without zone, texts are skeletons."""

    key: str
    title: str
    type: str
    culprit: str
    rule: str
    explanation: str
    component: str
    sample_stack: str
    first_seen_at: datetime
    last_seen_at: datetime
    count: int = 0
    status: State = State.ONGOING  # ONGOING (open), RESOLVED or MUTED: what people decided
    status_at: datetime | None = None
    resolved_in: str | None = None
    regressed_at: datetime | None = None
    escalating_at: datetime | None = None
    last_version: str | None = None
    assignee: str | None = None
    environment: str | None = None
    is_content_delivery: bool = False
    trace_id: str | None = None
    breadcrumbs: tuple[str, ...] = ()
    severity: str = "error"
    others: tuple[str, ...] = ()
    """Further components, in the order in which they were heard; MAX_COMPONENTS in all."""

    @property
    def components(self) -> tuple[str, ...]:
        """Every component in which it was seen, the first one first."""
        return (self.component, *self.others)

    def state(self, now: datetime) -> State:
        """The state at a time; what people decided wins, then regressed, escalating, new."""
        if self.status in {State.RESOLVED, State.MUTED}:
            return self.status
        if self.regressed_at is not None and now - self.regressed_at < REGRESSED_FOR:
            return State.REGRESSED
        if self.escalating_at is not None and now - self.escalating_at < timedelta(hours=1):
            return State.ESCALATING
        return State.NEW if now - self.first_seen_at < NEW_FOR else State.ONGOING


def is_later_release(one: str, other: str) -> bool | None:
    """Whether a release comes after another; None when their order cannot be told (hashes, names)."""
    if one == other:
        return False
    ours, theirs = _release_key(one), _release_key(other)
    return None if ours is None or theirs is None else ours > theirs


def _release_key(name: str) -> tuple[tuple[int, ...], int, int] | None:
    found = _RELEASE.match(name.strip())
    if not found or (re.fullmatch(r"(?=\d*[a-f])[0-9a-f]{7,40}", name)):
        return None
    numbers = [int(n) for n in found[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), _PRE.get(found[2] or "", 9), int(found[3] or 0)


def is_regression(record: GroupRecord, version: str | None, at: datetime) -> bool:
    """Whether an occurrence reopens a resolved group: a later release, or without releases a later time."""
    if record.status is not State.RESOLVED or record.status_at is None:
        return False
    if record.resolved_in and version:
        is_later = is_later_release(version, record.resolved_in)
        if is_later is not None:
            return is_later
        return version != record.resolved_in and at > record.status_at
    return at > record.status_at


def also_in(record: GroupRecord, components: Iterable[str]) -> GroupRecord:
    """The record of a group that was seen in these components as well."""
    new = [name for name in dict.fromkeys(components) if name not in record.components]
    others = (*record.others, *new)[: MAX_COMPONENTS - 1]
    return record if others == record.others else replace(record, others=others)


def seen_again(record: GroupRecord, version: str | None, at: datetime) -> GroupRecord:
    """The record after one more occurrence, in any order of arrival."""
    is_back = is_regression(record, version, at)
    is_newest = at >= record.last_seen_at
    return replace(
        record,
        count=record.count + 1,
        first_seen_at=min(record.first_seen_at, at),
        last_seen_at=max(record.last_seen_at, at),
        last_version=(version or record.last_version) if is_newest else record.last_version,
        status=State.ONGOING if is_back else record.status,
        status_at=at if is_back else record.status_at,
        regressed_at=at if is_back else record.regressed_at,
    )


def resolved(record: GroupRecord, at: datetime, release: str | None) -> GroupRecord:
    """Resolved in a release: the one given, else the last one it was seen in."""
    return replace(
        record,
        status=State.RESOLVED,
        status_at=at,
        resolved_in=release or record.last_version,
        regressed_at=None,
        escalating_at=None,
    )


def reopened(record: GroupRecord, at: datetime) -> GroupRecord:
    """Open again by a person's decision; also what ends a mute."""
    return replace(record, status=State.ONGOING, status_at=at)


def muted(record: GroupRecord, at: datetime) -> GroupRecord:
    """Counted but never told about."""
    return replace(record, status=State.MUTED, status_at=at)
