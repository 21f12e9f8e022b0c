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

from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.evaluate import evaluate
from live_tail.alerts.rules.fast_lane import FAILURE_FACTS, is_for_fast_lane
from live_tail.alerts.rules.rule_files import RuleFolders
from live_tail.alerts.rules.rule_spec import Threshold, selects_of
from live_tail.alerts.words.rule_records import Reading, Round, Rule, Severity
from privacy.process_log.log import logger

_log = logger()
_QUIET = timedelta(seconds=5)
# A failure can decide a rule for so long: until what outweighs it has left the rule's window.
_FAILURE_COUNTS = timedelta(seconds=90)
_LOOK_S = 2.0
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
INVALID = Rule(
    name="RuleFileInvalid",
    kind="own",
    spec={},
    severity=Severity.WARNING,
    summary="A rule file is wrong; the rules before it stay in force",
    effect="Changes to alert rules are not taken.",
    runbook=(
        "Run ./tta.sh monitor doctor: it names each mistake.",
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
        self._begins_with: dict[str, frozenset[str]] = {}
        self._failed_at: dict[str, datetime] = {}
        self.rules: tuple[Rule, ...] = ()
        self.replace(rules)

    def replace(self, rules: Sequence[Rule]) -> None:
        """Judge by other rules from now on; a rule that changed is due at once."""
        before = {rule.name: rule for rule in self.rules}
        self.rules = tuple(rules)
        # Those that failures make more frequent; the others keep to what they say.
        self._begins_with = {
            r.name: facts for r in rules if r.every < _QUIET and (facts := begins_with(r))
        }
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

    def waits_for(self, facts: frozenset[str]) -> bool:
        """Whether a rule is looked at sooner once there are new failures of these kinds."""
        waiting = {n: f for n, f in self._begins_with.items() if n not in self._quiet}
        return any(wanted & facts for wanted in waiting.values())

    def hasten(self, at: datetime, facts: frozenset[str] = FAILURE_FACTS) -> None:
        """Something has failed: rules that begin so are due now, and as often as they say."""
        self._failed_at |= dict.fromkeys(facts, at)
        for name, wanted in self._begins_with.items():
            if wanted & facts:
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
        every, facts = rule.every, self._begins_with.get(rule.name)
        if rule.name in self._quiet or (facts and not self._is_failing(rule, facts, at)):
            every = max(every, _QUIET)
        return at + every - (at - _BEGIN) % every if every else at

    def _is_failing(self, rule: Rule, facts: frozenset[str], at: datetime) -> bool:
        failed_at = max((self._failed_at.get(fact, _BEGIN) for fact in facts), default=_BEGIN)
        return at - failed_at < _FAILURE_COUNTS or bool(self._found.get(rule.name))


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
        self._lock = threading.Lock()
        self._has_failed: frozenset[str] = frozenset()
        self.took_s: float | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        return self._rounds.rules

    def hasten(self, facts: frozenset[str] = FAILURE_FACTS) -> None:
        """Something of these kinds has failed."""
        with self._lock:
            self._has_failed |= facts

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
        is_waited_for = self._rounds.waits_for(self._has_failed)
        return is_long_ago or is_waited_for or self._rounds.is_due(self._clock())

    def make(self) -> tuple[Round, Mapping[str, Rule]]:
        """The round that is due."""
        self._made_s = self._monotonic()
        # Here and not before: whatever the window has taken in by now is judged in this round.
        with self._lock:
            failed, self._has_failed = self._has_failed, frozenset()
        if failed:
            self._rounds.hasten(self._clock(), failed)
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


def begins_with(rule: Rule) -> frozenset[str]:
    """The kinds of failures without which a rule cannot begin to hold; none when it can."""
    when = rule.spec.get("when")
    facts = frozenset(s.fact for s in selects_of(when)) if isinstance(when, Threshold) else None
    return facts if facts and facts <= FAILURE_FACTS else frozenset()
