"""The records that rules, alert life and notification share.

Here: frozen dataclasses, nothing that acts. Reading rule files is `rule_files`, evaluating
`evaluate`, the life of an alert `life`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from privacy.keys.ids import id_text

Labels = tuple[tuple[str, str], ...]


LONGEST = timedelta(days=3_650)
"""Beyond it an instant and a duration could not be added."""


def of_seconds(seconds: float) -> timedelta:
    """A duration that a rule, a policy or a silence may have; raises ValueError."""
    if not 0 <= seconds <= LONGEST.total_seconds():
        raise ValueError(f"must be a duration from 0 to {LONGEST.days} days")
    return timedelta(seconds=seconds)


class Severity(StrEnum):
    """How soon somebody must look."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Inhibition:
    """While an alert of the rule fires, the alerts that match here are muted but recorded.

    `targets` are label matchers (`value`, `~regex`, `!value`; label `rule` is the rule's name),
    `equal` names labels whose values must be the same on both. With `by_use` the target's
    `component` must be one that uses the source's `dependency`, as `Round.uses` says.
    """

    targets: Labels = ()
    equal: tuple[str, ...] = ()
    by_use: bool = False


@dataclass(frozen=True)
class Rule:
    """One alert rule as read from YAML; `spec` holds the fields of its kind, validated.

    `is_fast` skips the grouping delay. `runbook` is the list of action items. A component that was
    first heard of less than `min_history` ago is not judged. An alert that grows tells what came
    since it was last told, at most once in `digest`; 0 is never.
    """

    name: str
    kind: str
    spec: Mapping[str, Any]
    severity: Severity
    summary: str
    effect: str = ""
    runbook: tuple[str, ...] = ()
    runbook_url: str = ""
    labels: Labels = ()
    hold_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    route: str = ""
    is_fast: bool = False
    of_last: tuple[int, int] = (1, 1)  # N of M rounds must be active
    inhibits: tuple[Inhibition, ...] = ()
    every: timedelta = timedelta(seconds=5)  # how often it is evaluated
    min_history: timedelta = timedelta(0)
    digest: timedelta = timedelta(0)


@dataclass(frozen=True)
class Reading:
    """One series for which a rule's condition holds now.

    `context` may hold `frames`, and `groups`: the error groups it is about, as `records.Listed`.
    """

    rule: str
    labels: Labels
    value: float | None
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """What one evaluation of all rules found; `failed` maps a rule to the type of its error.

    A rule that failed is unknown, not resolved: its alerts keep their state. So does a rule that
    is not in `evaluated` because it was not due. `uses` holds the (component, dependency) pairs
    that client spans and failures of the hot window show. `unjudged` says of a rule why it could
    not judge some series, such as "not enough history: …": such series raise no alert.
    """

    at: datetime
    readings: tuple[Reading, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    evaluated: frozenset[str] = frozenset()
    uses: frozenset[tuple[str, str]] = frozenset()
    unjudged: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GroupChange:
    """An error group that became new, regressed or escalating at `since`; `labels` hold no message
    text, `error` is the group's title, `count` its recent occurrences."""

    state: str
    labels: Mapping[str, str]
    since: datetime = datetime.min
    error: str = ""
    place: str = ""
    count: int = 0


def labels_of(pairs: Mapping[str, str]) -> Labels:
    """Sorted label pairs: equal sets are equal tuples."""
    return tuple(sorted(pairs.items()))


def fingerprint(rule: str, labels: Labels) -> str:
    """16 hex digits that name an alert across restarts (dedup key of notifications); `ids` says why one
    of them is a letter."""
    text = "\x1f".join([rule, *(f"{k}\x1e{v}" for k, v in labels)])
    return id_text(hashlib.blake2b(text.encode(), digest_size=8).hexdigest())
