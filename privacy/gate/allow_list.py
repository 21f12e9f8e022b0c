"""The typed allow-list: which attribute may be kept, in which form, and why.

Here: reading `allow_list.yaml` and answering for one attribute name. Not here: applying a
treatment to values (`treatments`) or to Arrow columns (`columns`).
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

LEVELS = frozenset({"resource", "scope", "span", "event", "link", "log", "metric"})
POLICY_FILE = Path(__file__).with_name("allow_list.yaml")


class Treatment(StrEnum):
    """What happens to a value on its way in; see the head of `allow_list.yaml`."""

    KEEP = "keep"
    NAME = "name"
    SERVICE = "service"
    ALLOW = "allow"
    PSEUDONYMISE = "pseudonymise"
    HOST = "host"
    LABEL = "label"
    PATH = "path"
    STATEMENT = "statement"
    FILE = "file"
    PRODUCT = "product"
    SCRUB = "scrub"
    STACK = "stack"
    DROP = "drop"


class PolicyProblem(Exception):
    """The allow-list is wrong; the message names the entry, the cause and the fix."""


@dataclass(frozen=True)
class Decision:
    """The treatment of one attribute and the reason a privacy officer reads."""

    treatment: Treatment
    reason: str
    is_listed: bool = True


UNKNOWN = Decision(Treatment.DROP, "not on the allow-list", is_listed=False)


@dataclass(frozen=True)
class AllowList:
    """Decisions by level and name; wildcard entries are held by their prefix with the dot."""

    exact: dict[tuple[str, str], Decision]
    prefixes: dict[tuple[str, str], Decision]

    def decide(self, level: str, name: str) -> Decision:
        """The decision for an attribute name at a level; UNKNOWN (drop) when nobody listed it."""
        return self.look_up(level, name)[0]

    def look_up(self, level: str, name: str) -> tuple[Decision, str | None]:
        """The decision and the entry that made it, such as `http.request.header.*`; None for UNKNOWN."""
        found = self.exact.get((level, name))
        if found is not None:
            return found, name
        stem = name
        while "." in stem:
            stem = stem.rpartition(".")[0]
            found = self.prefixes.get((level, stem + "."))
            if found is not None:
                return found, stem + ".*"
        return UNKNOWN, None

    def is_known(self, name: str) -> bool:
        """Whether any level lists the name, dropped ones included."""
        return any(self.decide(level, name).is_listed for level in LEVELS)


@cache
def load_allow_list(path: Path = POLICY_FILE) -> AllowList:
    """Read and check the allow-list; raises PolicyProblem with every mistake at once."""
    groups = yaml.safe_load(path.read_text())
    exact: dict[tuple[str, str], Decision] = {}
    prefixes: dict[tuple[str, str], Decision] = {}
    problems: list[str] = []
    for number, group in enumerate(groups, start=1):
        problems += _add_group(number, group, exact, prefixes)
    if problems:
        raise PolicyProblem(f"{path.name} is wrong: {'; '.join(problems)}.")
    return AllowList(exact, prefixes)


def _add_group(
    number: int,
    group: dict,
    exact: dict[tuple[str, str], Decision],
    prefixes: dict[tuple[str, str], Decision],
) -> list[str]:
    try:
        decision = Decision(Treatment(group["treatment"]), group["reason"])
        levels = set(group.get("only", LEVELS))
        names = group["names"]
    except (KeyError, ValueError) as error:
        return [f"group {number} lacks or misspells {error}"]
    problems = [f"group {number} names unknown level {level}" for level in levels - LEVELS]
    for name in names:
        target = prefixes if name.endswith(".*") else exact
        key_name = name.removesuffix("*")
        for level in levels:
            if (level, key_name) in target and target[level, key_name] != decision:
                problems.append(f"{name} is listed twice with different treatments")
            target[level, key_name] = decision
    return sorted(set(problems))
