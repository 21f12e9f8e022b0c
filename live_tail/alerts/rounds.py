"""Rounds: which rules are due, and what was found, for as long as the process lives.

Here: due times, carrying the last findings of rules that are not due, the alert about invalid rule
files. Not here: conditions (`evaluate`), what becomes of alerts (`life`, `manager`).

Rules fall due together, on multiples of their interval, so that one look at the window serves many.
A rule that can only begin with a failure is looked at as often as it says while there are failures,
and every five seconds otherwise.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from live_tail.alerts.evaluate import evaluate
from live_tail.alerts.fast_lane import is_for_fast_lane
from live_tail.alerts.model import Reading, Round, Rule, Severity
from live_tail.alerts.rule_files import RuleFolders
from live_tail.alerts.sources import Sources
from live_tail.alerts.spec import Threshold, selects_of
from privacy.logs import logger

_log = logger()
_QUIET = timedelta(seconds=5)
# A failure can decide a rule for so long: until what outweighs it has left the rule's window.
_FAILURE_COUNTS = timedelta(seconds=90)
_LOOK_S = 2.0
_FAILURE_FACTS = frozenset({"failures", "dependency_down"})
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
INVALID = Rule(
    name="RuleFileInvalid",
    kind="own",
    spec={},
    severity=Severity.WARNING,
    summary="A rule file is wrong; the rules before it stay in force",
    effect="Changes to alert rules are not taken.",
    runbook=(
        "Run ./tta.sh monitor alerts test on the file: it names each mistake.",
        "Correct it; it is read again by itself.",
    ),
)


class Rounds:
    """Makes one round at a time; a rule that is not due keeps what it found last."""

    def __init__(self, sources: Sources, rules: Sequence[Rule]) -> None:
        self._sources = sources
        self._due: dict[str, datetime] = {}
        self._found: dict[str, tuple[Reading, ...]] = {}
        self._failed: dict[str, str] = {}
        self._unjudged: dict[str, str] = {}
        self._quiet: set[str] = set()
        self._by_failures: set[str] = set()
        self._failed_at: datetime | None = None
        self.rules: tuple[Rule, ...] = ()
        self.replace(rules)

    def replace(self, rules: Sequence[Rule]) -> None:
        """Judge by other rules from now on; a rule that changed is due at once."""
        before = {rule.name: rule for rule in self.rules}
        self.rules = tuple(rules)
        self._by_failures = {rule.name for rule in rules if begins_with_a_failure(rule)}
        # What the fast lane begins, rounds have only to know and to end.
        self._quiet = {rule.name for rule in rules if is_for_fast_lane(rule)}
        for rule in self.rules:
            if before.get(rule.name) != rule:
                self._due.pop(rule.name, None)
                self._found.pop(rule.name, None)
                self._failed.pop(rule.name, None)
                self._unjudged.pop(rule.name, None)

    def is_due(self, at: datetime) -> bool:
        """Whether a rule is."""
        return any(self._due.get(rule.name, at) <= at for rule in self.rules)

    def hasten(self, at: datetime) -> None:
        """Something has failed: rules that begin with a failure are due now, and as often as they say."""
        self._failed_at = at
        for name in self._by_failures:
            self._due[name] = min(self._due.get(name, at), at)

    def make(self, at: datetime, mistakes: Sequence[str] = ()) -> Round:
        """The round at a time (UTC): due rules are evaluated, the others repeat themselves."""
        due = [rule for rule in self.rules if self._due.get(rule.name, at) <= at]
        new = evaluate(due, self._sources, at)
        by_rule: dict[str, list[Reading]] = {rule.name: [] for rule in due}
        for reading in new.readings:
            by_rule[reading.rule].append(reading)
        for rule in due:
            self._due[rule.name] = self._next(rule, at)
            self._failed.pop(rule.name, None)
            self._unjudged.pop(rule.name, None)
            if rule.name in new.unjudged:
                self._unjudged[rule.name] = new.unjudged[rule.name]
            if rule.name in new.failed:
                self._failed[rule.name] = new.failed[rule.name]
            else:
                self._found[rule.name] = tuple(by_rule[rule.name])
        names = {rule.name for rule in self.rules}
        found = [r for name in names for r in self._found.get(name, ())]
        if mistakes:
            found.append(Reading(INVALID.name, (), float(len(mistakes))))
        failed = {name: cause for name, cause in self._failed.items() if name in names}
        unjudged = {name: why for name, why in self._unjudged.items() if name in names}
        judged = frozenset(names | {INVALID.name})
        return Round(at, tuple(found), failed, judged, new.uses, unjudged)

    def _next(self, rule: Rule, at: datetime) -> datetime:
        """The next multiple of the rule's interval."""
        every, is_waiting = rule.every, rule.name in self._by_failures
        if rule.name in self._quiet or (is_waiting and not self._is_failing(rule, at)):
            every = max(every, _QUIET)
        return at + every - (at - _BEGIN) % every if every else at

    def _is_failing(self, rule: Rule, at: datetime) -> bool:
        is_recent = self._failed_at is not None and at - self._failed_at < _FAILURE_COUNTS
        return is_recent or bool(self._found.get(rule.name))


class DueRounds:
    """The next round with the rules in force, when one is due: at most one in `every_s`.

    Called by the one thread that owns the life of alerts (`service`); `hasten` by any. Rule files are
    looked at every two seconds and read again when they changed.
    """

    def __init__(
        self,
        sources: Sources,
        folders: RuleFolders,
        *,
        clock: Callable[[], datetime],
        every_s: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders, self._clock = folders, clock
        self._every_s, self._monotonic = every_s, monotonic
        self._has_groups = sources.groups is not None
        self._rounds = Rounds(sources, ())
        self._made_s = self._looked_s = -math.inf
        self._has_failed = threading.Event()
        self.took_s: float | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        return self._rounds.rules

    def hasten(self) -> None:
        """Something has failed."""
        self._has_failed.set()

    def is_due(self) -> bool:
        """Whether a round is: a rule, a change of the files, or the state of alerting itself."""
        now_s = self._monotonic()
        if now_s - self._made_s < self._every_s:
            return False
        if now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            if self._follow_files():
                return True
        is_long_ago = now_s - self._made_s >= _QUIET.total_seconds()
        return is_long_ago or self._has_failed.is_set() or self._rounds.is_due(self._clock())

    def make(self) -> tuple[Round, Mapping[str, Rule]]:
        """The round that is due."""
        self._made_s = self._monotonic()
        # Here and not before: whatever the window has taken in by now is judged in this round.
        if self._has_failed.is_set():
            self._has_failed.clear()
            self._rounds.hasten(self._clock())
        made = self._rounds.make(self._clock(), self._folders.mistakes)
        self.took_s = self._monotonic() - self._made_s
        return made, {rule.name: rule for rule in (*self._rounds.rules, INVALID)}

    def _follow_files(self) -> bool:
        before = self._folders.mistakes
        if self._folders.refresh() or not self._rounds.rules:
            # Without a stream of error groups such rules would fail in every round.
            rules = [r for r in self._folders.rules if self._has_groups or r.kind != "error_group"]
            self._rounds.replace(rules)
            mistakes = len(self._folders.mistakes)
            _log.info("alert rules read", rules=len(rules), mistakes=mistakes)
            return True
        return self._folders.mistakes != before


def begins_with_a_failure(rule: Rule) -> bool:
    """Whether a rule needs a failure before it can hold, so that without any it may be looked at later."""
    when = rule.spec.get("when")
    return isinstance(when, Threshold) and all(s.fact in _FAILURE_FACTS for s in selects_of(when))
