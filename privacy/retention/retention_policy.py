"""How long what is kept, as data.

Here: the rules, their durations and overrides, and what a rule says about a moment. Not here: what is
there and its removal (`ingestion/expiry/plan`), when that happens (`dagster_project/defs/retention`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    "state.saved": "views and notes that people keep until they remove them",
    "state.release": "a release ledger that cannot be read refuses every release",
}
"""Day keys that no rule may ever destroy, and why."""


BY_COMPONENT = ("spans", "logs", "metric_points")
"""Datasets in which single components may have a rule of their own."""

ARCHIVED = ("spans", "logs", "metric_points", "ledger", "gate_decisions")
"""Datasets whose old partitions may move to the archive."""

_COMPONENT = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")


class RetentionProblem(Exception):
    """A rule is wrong; the message names the rule, the cause and the fix."""


@dataclass(frozen=True)
class Policy:
    """What is archived and purged after how long, by dataset; None is kept for good.

    `purge_after` also holds rules of single components, as `spans/player-api`.
    """

    purge_after: Mapping[str, timedelta | None]
    archive_after: Mapping[str, timedelta] = field(default_factory=dict)

    def cutoff(self, dataset: str, now: datetime) -> datetime | None:
        """What ended at or before this moment (UTC without zone) goes; None when nothing does."""
        age = self.purge_after[dataset]
        return None if age is None else now - age

    def archive_cutoff(self, dataset: str, now: datetime) -> datetime | None:
        """What ended at or before this moment leaves for the archive; None when nothing does."""
        age = self.archive_after.get(dataset)
        return None if age is None else now - age

    def components(self, dataset: str) -> dict[str, timedelta | None]:
        """Components of a dataset with a rule of their own."""
        return {
            name.partition("/")[2]: age
            for name, age in self.purge_after.items()
            if name.startswith(f"{dataset}/")
        }


def load_policy(overrides: Mapping[str, Any] | None = None) -> Policy:
    """The shipped rules with overrides by dataset; raises RetentionProblem with every mistake."""
    shipped = {**yaml.safe_load(POLICY_FILE.read_text())}
    given = dict(overrides or {})
    problems = [text for name in given if (text := _misnamed(str(name), shipped))]
    problems += [_unknown(name, shipped) for name in shipped if name in _FOR_GOOD]
    rules = shipped | {k: v for k, v in given.items() if not _misnamed(str(k), shipped)}
    ages: dict[str, timedelta | None] = {}
    archived: dict[str, timedelta] = {}
    for name, rule in rules.items():
        try:
            ages[name], archive = _ages(name, rule, shipped.get(name))
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        if archive is not None:
            archived[name] = archive
    if problems:
        raise RetentionProblem(f"retention rules are wrong: {'; '.join(problems)}.")
    return Policy(ages, archived)


def read_policy(file: Path) -> Policy:
    """A policy from a YAML file that overrides the shipped one; raises RetentionProblem."""
    try:
        rules = yaml.safe_load(file.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise RetentionProblem(
            f"{file} cannot be read as YAML ({type(error).__name__}): give a mapping of dataset to "
            "duration, as in privacy/retention/retention.yaml."
        ) from None
    if not isinstance(rules, dict):
        raise RetentionProblem(f"{file} must be a mapping of dataset to duration.")
    return load_policy(rules)


def _misnamed(name: str, shipped: Mapping[str, Any]) -> str:
    """What is wrong with the name of a rule; empty when nothing is."""
    dataset, slash, component = name.partition("/")
    if dataset not in shipped:
        return _unknown(dataset, shipped)
    if slash and dataset not in BY_COMPONENT:
        return f"{name}: only {', '.join(BY_COMPONENT)} have rules by component"
    if slash and not _COMPONENT.match(component):
        return f"{dataset}/… must name a component by letters, digits and . _ -, 100 at most"
    return ""


def _ages(name: str, rule: object, shipped: object) -> tuple[timedelta | None, timedelta | None]:
    """(purged after, archived after) of one rule; raises ValueError."""
    if not isinstance(rule, Mapping):
        return _age(rule), None
    if set(rule) - {"archive", "purge"}:
        raise ValueError("a rule is a duration, or a mapping with archive and purge")
    if "archive" in rule and name not in ARCHIVED:
        raise ValueError(f"only {', '.join(ARCHIVED)} can be archived")
    purge = _age(rule.get("purge", shipped))
    archive = _age(rule["archive"]) if "archive" in rule else None
    if archive is not None and purge is not None and archive >= purge:
        raise ValueError("what is archived must be purged later, not before")
    return purge, archive


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
