"""Rounds: which rules are due, what was found, twice a second, for as long as the process lives.

Here: due times, carrying the last findings of rules that are not due, the alert about invalid rule
files, the loop. Not here: conditions (`evaluate`), what becomes of alerts (`life`, `manager`).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from live_tail.alerts.evaluate import evaluate
from live_tail.alerts.model import Reading, Round, Rule, Severity
from live_tail.alerts.rule_files import RuleFolders
from live_tail.alerts.sources import Sources
from privacy.logs import logger

_log = logger()
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
        self.rules: tuple[Rule, ...] = ()
        self.replace(rules)

    def replace(self, rules: Sequence[Rule]) -> None:
        """Judge by other rules from now on; a rule that changed is due at once."""
        before = {rule.name: rule for rule in self.rules}
        self.rules = tuple(rules)
        for rule in self.rules:
            if before.get(rule.name) != rule:
                self._due.pop(rule.name, None)
                self._found.pop(rule.name, None)
                self._failed.pop(rule.name, None)
                self._unjudged.pop(rule.name, None)

    def make(self, at: datetime, mistakes: Sequence[str] = ()) -> Round:
        """The round at a time (UTC): due rules are evaluated, the others repeat themselves."""
        due = [rule for rule in self.rules if self._due.get(rule.name, at) <= at]
        new = evaluate(due, self._sources, at)
        by_rule: dict[str, list[Reading]] = {rule.name: [] for rule in due}
        for reading in new.readings:
            by_rule[reading.rule].append(reading)
        for rule in due:
            self._due[rule.name] = at + rule.every
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


class DueRounds:
    """The next round with the rules in force, or None while less than `every_s` has passed.

    Called by the one thread that owns the life of alerts (`service`); reads rule files again when
    they change.
    """

    def __init__(
        self,
        sources: Sources,
        folders: RuleFolders,
        *,
        clock: Callable[[], datetime],
        every_s: float = 0.5,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders, self._clock = folders, clock
        self._every_s, self._monotonic = every_s, monotonic
        self._has_groups = sources.groups is not None
        self._rounds = Rounds(sources, ())
        self._due_s = monotonic()
        self.took_s: float | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        return self._rounds.rules

    def __call__(self) -> tuple[Round, Mapping[str, Rule]] | None:
        """A round, when one is due."""
        started = self._monotonic()
        if started < self._due_s:
            return None
        self._due_s = started + self._every_s
        if self._folders.refresh() or not self._rounds.rules:
            # Without a stream of error groups such rules would fail in every round.
            rules = [r for r in self._folders.rules if self._has_groups or r.kind != "error_group"]
            self._rounds.replace(rules)
            mistakes = len(self._folders.mistakes)
            _log.info("alert rules read", rules=len(rules), mistakes=mistakes)
        made = self._rounds.make(self._clock(), self._folders.mistakes)
        self.took_s = self._monotonic() - started
        return made, {rule.name: rule for rule in (*self._rounds.rules, INVALID)}
