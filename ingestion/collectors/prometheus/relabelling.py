"""Prometheus' relabelling: rules that change, keep or drop a set of labels.

Here: all actions, for targets (`relabel_configs`) and for samples (`metric_relabel_configs`). Not here:
which labels a target or sample has (`jobs`, `scraped_samples`). Source: Prometheus
configuration reference, `relabel_config`.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

_KEYS = frozenset("source_labels separator target_label regex modulus replacement action".split())
_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
_Labels = dict[str, str]


@dataclass(frozen=True)
class Rule:
    """One rule; `regex` matches whole texts."""

    action: str
    sources: tuple[str, ...]
    separator: str
    regex: re.Pattern[str]
    target: str
    replacement: str
    modulus: int

    def source(self, labels: _Labels) -> str:
        """The text that the rule looks at."""
        return self.separator.join(labels.get(name, "") for name in self.sources)


def read_rules(entries: Any) -> tuple[Rule, ...]:
    """The rules of a configuration; raises ValueError."""
    if not isinstance(entries or [], list):
        raise ValueError("relabel rules must be a list")
    return tuple(_rule(entry) for entry in entries or ())


def relabel(labels: _Labels, rules: Iterable[Rule]) -> _Labels | None:
    """Labels after the rules, without those that became empty; None when they are dropped."""
    for rule in rules:
        changed = _ACTIONS[rule.action](labels, rule)
        if changed is None:
            return None
        labels = {name: value for name, value in changed.items() if value}
    return labels


def _rule(entry: Any) -> Rule:
    if not isinstance(entry, dict):
        raise ValueError("a relabel rule must be a mapping")
    if unknown := sorted(set(map(str, entry)) - _KEYS):
        raise ValueError(f"relabel rule: {', '.join(unknown)} is not supported")
    action = str(entry.get("action") or "replace").lower()
    if action not in _ACTIONS:
        raise ValueError(f"relabel action {action} is not supported")
    sources = entry.get("source_labels") or []
    if not isinstance(sources, list):
        raise ValueError("source_labels must be a list")
    target = str(entry.get("target_label") or "")
    if action in _WITH_TARGET and not target:
        raise ValueError(f"relabel action {action} needs target_label")
    modulus = int(entry.get("modulus") or 0)
    if action == "hashmod" and modulus < 1:
        raise ValueError("relabel action hashmod needs modulus")
    try:
        regex = re.compile(f"(?:{entry.get('regex', '(.*)')})", re.DOTALL)
    except re.error:
        raise ValueError("a regex of a relabel rule cannot be read") from None
    return Rule(
        action,
        tuple(map(str, sources)),
        str(entry.get("separator", ";")),
        regex,
        target,
        str(entry.get("replacement", "$1")),
        modulus,
    )


def _expanded(found: re.Match[str], template: str) -> str:
    """`$1`, `${name}` and `$$` as Go's regexp expands them: what is not there is empty."""

    def value(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        try:
            return found[int(name) if name.isdecimal() else name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(value, template)


def _replace(labels: _Labels, rule: Rule) -> _Labels:
    found = rule.regex.fullmatch(rule.source(labels))
    if not found:
        return labels
    return labels | {_expanded(found, rule.target): _expanded(found, rule.replacement)}


def _chosen(wanted: Callable[[_Labels, Rule], bool]) -> Callable[[_Labels, Rule], _Labels | None]:
    return lambda labels, rule: labels if wanted(labels, rule) else None


def _matches(labels: _Labels, rule: Rule) -> bool:
    return rule.regex.fullmatch(rule.source(labels)) is not None


def _is_equal(labels: _Labels, rule: Rule) -> bool:
    return rule.source(labels) == labels.get(rule.target, "")


def _hashmod(labels: _Labels, rule: Rule) -> _Labels:
    digest = hashlib.md5(rule.source(labels).encode(), usedforsecurity=False).digest()
    return labels | {rule.target: str(int.from_bytes(digest[8:], "big") % rule.modulus)}


def _labelmap(labels: _Labels, rule: Rule) -> _Labels:
    found = ((rule.regex.fullmatch(name), value) for name, value in labels.items())
    return labels | {_expanded(match, rule.replacement): value for match, value in found if match}


def _labeldrop(labels: _Labels, rule: Rule) -> _Labels:
    return {name: value for name, value in labels.items() if not rule.regex.fullmatch(name)}


def _labelkeep(labels: _Labels, rule: Rule) -> _Labels:
    return {name: value for name, value in labels.items() if rule.regex.fullmatch(name)}


_ACTIONS: dict[str, Callable[[_Labels, Rule], _Labels | None]] = {
    "replace": _replace,
    "keep": _chosen(_matches),
    "drop": _chosen(lambda labels, rule: not _matches(labels, rule)),
    "keepequal": _chosen(_is_equal),
    "dropequal": _chosen(lambda labels, rule: not _is_equal(labels, rule)),
    "hashmod": _hashmod,
    "labelmap": _labelmap,
    "labeldrop": _labeldrop,
    "labelkeep": _labelkeep,
    "lowercase": lambda labels, rule: labels | {rule.target: rule.source(labels).lower()},
    "uppercase": lambda labels, rule: labels | {rule.target: rule.source(labels).upper()},
}
_WITH_TARGET = {"replace", "keepequal", "dropequal", "hashmod", "lowercase", "uppercase"}
