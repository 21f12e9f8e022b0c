"""Prometheus rule files into ours: what translates, what is lost, and for the rest the reason.

Here: `groups: … rules:` of rule files and of Kubernetes' PrometheusRule, rule by rule: what is wrong
with one costs that one. Not here: expressions (`promql`), texts (`import_texts`), whether labels exist
(`import_labels`). Recording rules are listed, never guessed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from live_tail.alerts.importing.imported_labels import NeverHolds, check_labels
from live_tail.alerts.importing.promql import Untranslatable, translate
from live_tail.alerts.importing.texts import texts_of
from live_tail.alerts.rules.rule_files import mistakes_of
from privacy.gate.allow_list import AllowList, load_allow_list

_SEVERITIES = {
    "critical": "critical", "page": "critical", "error": "critical", "high": "critical",
    "warning": "warning", "warn": "warning", "medium": "warning",
    "info": "info", "low": "info", "none": "info",
}  # fmt: skip
_TEXTS = ("summary", "description", "message", "runbook_url")
_KEYS = frozenset("alert expr for keep_firing_for labels annotations".split())


@dataclass(frozen=True)
class Imported:
    """What came of a file: our rules as YAML values, (name, reason) of the others, and of what a rule
    that was translated has lost."""

    rules: list[dict[str, Any]]
    refused: list[tuple[str, str]]
    lost: list[tuple[str, str]]

    def as_yaml(self) -> str:
        """The rules as a rule file."""
        return yaml.safe_dump({"rules": self.rules}, sort_keys=False, allow_unicode=True, width=100)


@dataclass(frozen=True)
class _Entry:
    """One rule of a file with what its group says for it."""

    given: Any
    group: Mapping[str, Any]

    @property
    def name(self) -> str:
        given = self.given if isinstance(self.given, dict) else {}
        return str(given.get("alert") or given.get("record") or "unnamed")


def import_file(
    path: Path,
    allowed: AllowList | None = None,
    taken: Iterable[str] = (),
    shipped: Iterable[str] = (),
) -> Imported:
    """Translate a rule file; raises Untranslatable when it is none.

    `allowed` is what the gate keeps, `taken` are names of the site's rules in other files, `shipped`
    names of rules that a site's rule replaces.
    """
    entries = _entries(path)
    recorded = {e.name for e in entries if isinstance(e.given, dict) and "record" in e.given}
    reader = _Reader(allowed or load_allow_list(), set(taken), set(shipped), recorded)
    found = Imported([], [], [])
    for entry in entries:
        try:
            rule, lost = reader.rule(entry)
        except (Untranslatable, NeverHolds) as reason:
            found.refused.append((entry.name, str(reason)))
            continue
        found.rules.append(rule)
        found.lost.extend((entry.name, note) for note in lost)
    return found


def _entries(path: Path) -> list[_Entry]:
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        groups = [group for document in documents for group in _groups(document)]
        return [_Entry(given, group) for group in groups for given in group.get("rules") or ()]
    except (OSError, ValueError, yaml.YAMLError, TypeError, AttributeError) as error:
        raise Untranslatable(
            f"{path.name} is no Prometheus rule file ({type(error).__name__}): it needs groups with rules"
        ) from None


def _groups(document: Any) -> Iterator[Mapping[str, Any]]:
    """The groups of a rule file, of a PrometheusRule, or of a list of them."""
    if document is None:
        return
    if "items" in document and "groups" not in document:
        for item in document["items"]:
            yield from _groups(item)
        return
    holder = document.get("spec", document)
    if "groups" not in holder:
        raise ValueError("no groups")
    for group in holder["groups"] or ():
        group.get("rules")
        yield group


class _Reader:
    """Rules of one file; a name is given once."""

    def __init__(
        self, allowed: AllowList, taken: set[str], shipped: set[str], recorded: set[str]
    ) -> None:
        self._allowed, self._recorded = allowed, recorded
        self._taken, self._shipped = taken, shipped

    def rule(self, entry: _Entry) -> tuple[dict[str, Any], list[str]]:
        """Our rule and what it has lost; raises Untranslatable, NeverHolds."""
        given = entry.given
        if not isinstance(given, dict) or "alert" not in given:
            is_record = isinstance(given, dict) and "record" in given
            reason = "a recording rule; select the metric itself" if is_record else "no alert"
            raise Untranslatable(reason)
        kind, when = translate(str(given.get("expr", "")))
        self._refuse_recorded(when)
        lost = check_labels(when, self._allowed)
        labels = texts_of(
            {**_mapping(entry.group, "labels"), **_mapping(given, "labels")}, "label", lost
        )
        rule: dict[str, Any] = {
            "name": self._name(entry.name, lost),
            "kind": kind,
            "when": when,
            "severity": _severity(labels.pop("severity", "warning"), lost),
            **_annotations(entry.name, _mapping(given, "annotations"), lost),
        }
        optional = {
            "for": given.get("for"),
            "keep_firing_for": given.get("keep_firing_for"),
            "every": entry.group.get("interval"),
        }
        rule |= {key: str(value) for key, value in optional.items() if value}
        if labels:
            rule["labels"] = labels
        lost += [f"{key} is not known" for key in given if key not in _KEYS]
        if mistakes := mistakes_of(rule):
            raise Untranslatable("; ".join(mistakes).rstrip("."))
        self._taken.add(rule["name"])
        return rule, lost

    def _refuse_recorded(self, when: Any) -> None:
        if isinstance(when, dict):
            if when.get("metric") in self._recorded:
                raise Untranslatable("it needs the result of a recording rule")
            for value in when.values():
                self._refuse_recorded(value)

    def _name(self, given: str, lost: list[str]) -> str:
        """A name as rules here have it, once in all files."""
        name = re.sub(r"\W", "_", given, flags=re.ASCII)[:76]
        if not re.match(r"[A-Za-z].{2}", name):
            name = f"Alert_{name}"
        stem, number = name, 1
        while name in self._taken:
            number += 1
            name = f"{stem}_{number}"
        if name != given:
            lost.append(f"its name is {name} here")
        if name in self._shipped:
            lost.append("it replaces the shipped rule of this name")
        return name


def _severity(given: str, lost: list[str]) -> str:
    known = _SEVERITIES.get(given.lower())
    if known is None:
        lost.append("its severity is none of critical, warning and info: it is told as a warning")
    return known or "warning"


def _annotations(name: str, notes: Mapping[str, Any], lost: list[str]) -> dict[str, str]:
    """Summary, effect and runbook; the summary of a rule without one is its name."""
    texts = texts_of({k: notes[k] for k in _TEXTS if notes.get(k)}, "annotation", lost)
    lost += [f"annotation {key} has no counterpart" for key in notes if key not in _TEXTS]
    message = texts.get("message", "")
    found = {"summary": texts.get("summary") or message or name}
    if effect := texts.get("description") or (message if "summary" in texts else ""):
        found["effect"] = effect
    if "runbook_url" in texts:
        found["runbook_url"] = texts["runbook_url"]
    return found


def _mapping(given: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = given.get(key) or {}
    if not isinstance(found, dict):
        raise Untranslatable(f"{key} must be a mapping")
    return found


__all__ = ["Imported", "Untranslatable", "import_file", "translate"]
