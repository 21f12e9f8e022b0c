"""How long what is kept, as data.

Here: the rules, their durations and overrides, and what a rule says about a moment. Not here: what is
there and its removal (`ingestion/expiry`), when that happens (`dagster_project/defs/retention`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

POLICY_FILE = Path(__file__).with_name("retention.yaml")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "mo": timedelta(days=30)}
_DURATION = re.compile(r"(\d{1,4})(h|d|mo)\Z")
_SHORTEST = timedelta(hours=48)
"""Below two days the pseudonyms' salts and the day's own keys would go while they are in use."""
_FOR_GOOD = {
    "state.access": "they open the accounts",
    "state.release": "a release ledger that cannot be read refuses every release",
}
"""Day keys that no rule may ever destroy, and why."""


class RetentionProblem(Exception):
    """A rule is wrong; the message names the rule, the cause and the fix."""


@dataclass(frozen=True)
class Policy:
    """What is purged after how long, by dataset; None is kept for good."""

    purge_after: Mapping[str, timedelta | None]

    def cutoff(self, dataset: str, now: datetime) -> datetime | None:
        """What ended at or before this moment (UTC without zone) goes; None when nothing does."""
        age = self.purge_after[dataset]
        return None if age is None else now - age


def load_policy(overrides: Mapping[str, Any] | None = None) -> Policy:
    """The shipped rules with overrides by dataset; raises RetentionProblem with every mistake."""
    rules = {**yaml.safe_load(POLICY_FILE.read_text())}
    problems = [_unknown(name, rules) for name in overrides or {} if name not in rules]
    problems += [_unknown(name, rules) for name in rules if name in _FOR_GOOD]
    rules |= {k: v for k, v in (overrides or {}).items() if k in rules}
    ages: dict[str, timedelta | None] = {}
    for name, text in rules.items():
        try:
            ages[name] = _age(text)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise RetentionProblem(f"retention rules are wrong: {'; '.join(problems)}.")
    return Policy(ages)


def read_policy(file: Path) -> Policy:
    """A policy from a YAML file that overrides the shipped one; raises RetentionProblem."""
    try:
        rules = yaml.safe_load(file.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise RetentionProblem(
            f"{file} cannot be read as YAML ({type(error).__name__}): give a mapping of dataset to "
            "duration, as in privacy/retention.yaml."
        ) from None
    if not isinstance(rules, dict):
        raise RetentionProblem(f"{file} must be a mapping of dataset to duration.")
    return load_policy(rules)


def _unknown(name: str, rules: Mapping[str, Any]) -> str:
    for dataset, why in _FOR_GOOD.items():
        if name in {dataset, dataset.removeprefix("state.")}:
            return f"the keys of {dataset} are kept for good, because {why}: remove the rule"
    return f"{name} is not one of {', '.join(rules)}"


def _age(text: object) -> timedelta | None:
    if text == "keep":
        return None
    found = _DURATION.match(str(text))
    if not found:
        raise ValueError(f"{text!r} is no duration; write 48h, 14d, 13mo or keep")
    age = int(found[1]) * _UNITS[found[2]]
    if age < _SHORTEST:
        raise ValueError(f"{text} is shorter than 48h, the least that can be kept")
    return age
