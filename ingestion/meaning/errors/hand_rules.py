"""Merges and splits by hand: rules over keys, applied after every grouping, so they survive re-runs.

Here: pure records and their application. Not here: where they are kept (`group_store`). Splits come first,
then merges, which are followed to their end.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingestion.meaning.errors.error_records import Occurrence
from ingestion.meaning.errors.messages import parameterise

DIMENSIONS = ("message", "component", "route", "version", "environment", "logger")


class HandRuleProblem(Exception):
    """A merge or split cannot be made; the message names the cause and the fix."""


@dataclass(frozen=True)
class HandRules:
    """`merges` maps a key to the key it joined; `splits` a key to the dimension that divides it."""

    merges: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=dict)

    def apply(self, key: str, occurrence: Occurrence) -> str:
        """The key an occurrence counts under."""
        dimension = self.splits.get(key)
        if dimension is not None:
            key = split_key(key, dimension, occurrence)
        return self.target(key)

    def target(self, key: str) -> str:
        """Where merges lead; a cycle cannot be stored, and ends here all the same."""
        passed = {key}
        while key in self.merges and self.merges[key] not in passed:
            key = self.merges[key]
            passed.add(key)
        return key


def split_key(key: str, dimension: str, occurrence: Occurrence) -> str:
    """The key of the part of a split group that an occurrence falls in."""
    value = (
        parameterise(occurrence.message)
        if dimension == "message"
        else getattr(occurrence, dimension) or ""
    )
    version = key.partition(":")[0]
    digest = hashlib.blake2b("\x1f".join([key, dimension, value]).encode(), digest_size=16)
    return f"{version}:{digest.hexdigest()}"


def checked_merge(rules: HandRules, sources: Sequence[str], target: str) -> dict[str, str]:
    """The merges to add; raises HandRuleProblem for a merge into itself or across key versions."""
    end = rules.target(target)
    added: dict[str, str] = {}
    for source in sources:
        if rules.target(source) == end:
            raise HandRuleProblem(f"{source} already counts as {end}: choose another group.")
        if source.partition(":")[0] != end.partition(":")[0]:
            raise HandRuleProblem(f"{source} and {end} are keys of different versions.")
        added[rules.target(source)] = end
    return added


def checked_split(rules: HandRules, key: str, dimension: str) -> None:
    """Raises HandRuleProblem when a group cannot be split so."""
    if dimension not in DIMENSIONS:
        raise HandRuleProblem(f"split by one of {', '.join(DIMENSIONS)}, not {dimension[:40]}.")
    if key in rules.splits:
        raise HandRuleProblem(f"{key} is split by {rules.splits[key]} already.")
