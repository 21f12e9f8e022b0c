"""Alerts about alerting itself: a dead channel, a policy or rules that are not taken, a rule that fails.

Here: their rules and readings. Not here: rules about TTA (`live_tail/rules`), about the batch side
(`own_batch`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ingestion.processes.passes import BatchProblem
from live_tail.alerts.desk import own_batch
from live_tail.alerts.words.rule_records import Reading, Round, Rule, Severity

DEAD_AFTER = timedelta(minutes=2)
_DEAD, _INVALID, _FAILING, _ERROR_RULES = (
    "NotificationChannelDead",
    "AlertingPolicyInvalid",
    "AlertRuleFailing",
    "ErrorRulesInvalid",
)
_SITE_FILE = "SiteFileInvalid"
_OF_FILE = {"alerting.yaml": _INVALID, "errors.yaml": _ERROR_RULES}
# `rounds` has an alert about rule files.
_NOT_HERE = "rules"
RULES = {
    rule.name: rule
    for rule in (
        Rule(
            _DEAD, "own", {}, Severity.WARNING, "A notification channel does not deliver",
            "Whoever is reached only by this channel learns nothing.",
            ("Test it: ./tta.sh monitor alerts channel-test NAME",
             "Correct its address in alerting.yaml or its url_file"),
        ),
        Rule(
            _INVALID, "own", {}, Severity.WARNING, "alerting.yaml is wrong and was not taken",
            "The policy before it stays in force.",
            ("Read the reason on the Alerts page and correct <home>/alerting.yaml",),
        ),
        Rule(
            _ERROR_RULES, "own", {}, Severity.WARNING, "errors.yaml is wrong and was not taken",
            "Errors are grouped by the rules before it, the build refuses to run.",
            ("Read the reason: ./tta.sh monitor errors list", "Correct <home>/errors.yaml"),
        ),
        Rule(
            _SITE_FILE, "own", {}, Severity.WARNING, "A configuration file is wrong and is not taken",
            "Processes go on with what they read of it before; one that starts may refuse to.",
            ("Read the reason: ./tta.sh monitor status", "Correct the file {{ labels.file }}"),
        ),
        Rule(
            _FAILING, "own", {}, Severity.WARNING, "An alert rule cannot be evaluated",
            "Its alerts keep their state; new ones are not found.",
            ("Check the rule: ./tta.sh monitor alerts test",), hold_for=timedelta(minutes=1),
        ),
    )
} | own_batch.RULES  # fmt: skip


def with_own(
    rnd: Round,
    channels: Iterable[Mapping[str, Any]],
    wrong_files: Iterable[str] = (),
    batch_problems: Iterable[BatchProblem] = (),
) -> Round:
    """The round with what alerting finds about itself and the batch side."""
    found = [
        Reading(_DEAD, (("channel", c["name"]),), float(c["failures"]))
        for c in channels
        if c["failing_us"]
        and rnd.at.timestamp() - c["failing_us"] / 1e6 >= DEAD_AFTER.total_seconds()
    ]
    found += [_about_file(name) for name in sorted(set(wrong_files) - {_NOT_HERE})]
    found += [Reading(_FAILING, (("failing_rule", name),), None) for name in sorted(rnd.failed)]
    found += own_batch.readings(batch_problems)
    evaluated = rnd.evaluated | set(RULES) if rnd.evaluated else rnd.evaluated
    return replace(rnd, readings=(*rnd.readings, *found), evaluated=evaluated)


def _about_file(name: str) -> Reading:
    rule = _OF_FILE.get(name)
    return Reading(rule, (), None) if rule else Reading(_SITE_FILE, (("file", name),), None)
