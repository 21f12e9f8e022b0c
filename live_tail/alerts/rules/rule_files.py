"""Rule files: reading them strictly, every mistake at once, and reloading them while running.

Here: YAML to `Rule`s. Not here: fields of each kind (`spec`), evaluation (`evaluate`). Shipped
rules are `live_tail/rules/*.yaml`, a site's own are `<home>/rules/*.yaml`; a site's rule replaces
the shipped one of the same name, and `disable: [Name]` in a site's file switches shipped ones off.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from live_tail.alerts.rules.rule_spec import KINDS, RuleSpec
from live_tail.alerts.words.rule_records import Inhibition, Rule, labels_of
from privacy.disk.watched import Watched

SHIPPED = Path(__file__).resolve().parents[2] / "rules"
_LABEL = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_TEMPLATE = re.compile(r"^(?:\$?labels\.)?([A-Za-z_][A-Za-z0-9_.]*)$|^\$?value$")


class RuleProblem(Exception):
    """Rule files are wrong; `mistakes` holds one sentence each: file, rule, field, cause, fix."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True)
class _File:
    path: Path
    rules: list[Rule]
    disabled: list[str]


def load_rules(folders: Sequence[Path]) -> tuple[Rule, ...]:
    """The rules of all files; later folders replace rules of the same name. Raises RuleProblem."""
    mistakes: list[str] = []
    rules: dict[str, Rule] = {}
    for folder in folders:
        here: dict[str, str] = {}
        disabled: list[str] = []
        for path in rule_files(folder):
            file = _read(path, mistakes)
            disabled += file.disabled
            for rule in file.rules:
                if rule.name in here:
                    mistakes.append(
                        f"{path.name}: rule {rule.name}: name: also in {here[rule.name]}; rename one."
                    )
                here[rule.name] = path.name
                rules[rule.name] = rule
        for name in disabled:
            if name not in rules:
                mistakes.append(
                    f"{folder.name}: disable: there is no rule {name}; correct the name."
                )
            rules.pop(name, None)
    if mistakes:
        raise RuleProblem(mistakes)
    return tuple(rules.values())


def rule_files(source: Path) -> list[Path]:
    """The rule files of a folder, or the file itself."""
    if source.is_file():
        return [source]
    return sorted([*source.glob("*.yaml"), *source.glob("*.yml")]) if source.is_dir() else []


def names_in(folder: Path) -> set[str]:
    """The names of the rules in a folder's own files."""
    return {rule.name for path in rule_files(folder) for rule in _read(path, []).rules}


class RuleFolders:
    """Rules that follow their files; an invalid change keeps the old set and shows in `mistakes`."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._watched: Watched[tuple[Rule, ...]] | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force; none before the first `refresh`."""
        return self._watched.value if self._watched else ()

    @property
    def mistakes(self) -> tuple[str, ...]:
        """What is wrong with the files as they were last looked at."""
        problem = self._watched.problem if self._watched else None
        return problem.mistakes if isinstance(problem, RuleProblem) else ()

    def refresh(self) -> bool:
        """Read again when a file changed, came or went; True when the rules were replaced."""
        if self._watched is not None:
            return self._watched.look()
        self._watched = Watched(
            lambda: [path for folder in self._folders for path in rule_files(folder)],
            lambda: load_rules(self._folders),
            RuleProblem,
            otherwise=lambda: load_rules([SHIPPED]),
        )
        return self._watched.problem is None


def _read(path: Path, mistakes: list[str]) -> _File:
    empty = _File(path, [], [])
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        mistakes.append(f"{path.name}: it is not readable YAML{where}; correct the syntax.")
        return empty
    if content is None:
        return empty
    unknown = set(content) - {"rules", "disable"} if isinstance(content, dict) else set()
    listed = content.get("rules", []) if isinstance(content, dict) else None
    if not isinstance(listed, list) or unknown:
        mistakes.append(f"{path.name}: it must hold `rules:` (a list) and may hold `disable:`.")
        return empty
    rules = []
    for number, entry in enumerate(listed, start=1):
        rule = _rule(path.name, number, entry, mistakes)
        if rule:
            rules.append(rule)
    return _File(path, rules, [str(n) for n in content.get("disable") or []])


def mistakes_of(entry: Any) -> list[str]:
    """What is wrong with one rule, in the sentences of `RuleProblem` without its file."""
    mistakes: list[str] = []
    _rule("", 1, entry, mistakes)
    name = entry.get("name") if isinstance(entry, dict) else None
    return [mistake.removeprefix(f": rule {name}: ") for mistake in mistakes]


def _rule(file: str, number: int, entry: Any, mistakes: list[str]) -> Rule | None:
    name = entry.get("name", f"number {number}") if isinstance(entry, dict) else f"number {number}"
    before = len(mistakes)
    spec = None
    try:
        spec = RuleSpec.model_validate(entry)
    except ValidationError as error:
        mistakes += [_sentence(file, name, "", e) for e in error.errors()]
    kind = entry.get("kind") if isinstance(entry, dict) else None
    when = None
    if kind in KINDS and isinstance(entry.get("when"), dict):
        try:
            when = KINDS[kind].model_validate(entry["when"])
        except ValidationError as error:
            mistakes += [_sentence(file, name, "when.", e) for e in error.errors()]
    if spec is None or when is None or len(mistakes) > before:
        return None
    mistakes += _bad_templates(file, spec)
    return Rule(
        name=spec.name,
        kind=spec.kind,
        spec={"when": when},
        severity=spec.severity,
        summary=spec.summary,
        effect=spec.effect,
        runbook=tuple(spec.runbook),
        runbook_url=spec.runbook_url,
        labels=labels_of(spec.labels),
        hold_for=spec.hold,
        keep_firing_for=spec.keep_firing_for,
        route=spec.route,
        is_fast=spec.is_fast,
        of_last=spec.of_last,
        inhibits=tuple(
            Inhibition(labels_of(i.targets), tuple(i.equal), i.by_use) for i in spec.inhibits
        ),
        every=timedelta(0) if spec.is_fast else spec.every,
        min_history=spec.min_history,
        digest=spec.digest,
    )


def _bad_templates(file: str, spec: RuleSpec) -> list[str]:
    texts = {"summary": spec.summary, "effect": spec.effect, **spec.labels}
    return [
        f"{file}: rule {spec.name}: {field}: {{{{ {inner} }}}} is not a label; only labels of the "
        "series, `labels` (all of them) and `value` can be used."
        for field, text in texts.items()
        for inner in _LABEL.findall(text)
        if not _TEMPLATE.match(inner)
    ]


def _sentence(file: str, name: Any, prefix: str, error: Any) -> str:
    field = prefix + ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    fix = {"missing": "add it", "extra_forbidden": "remove it or correct its name"}.get(
        error["type"], "correct it"
    )
    return f"{file}: rule {name}: {field.rstrip('.') or 'rule'}: {message}; {fix}."


def rendered(text: str, labels: Mapping[str, str], value: float | None) -> str:
    """A summary or label template with the labels of a series; an absent label is empty."""

    def fill(match: re.Match[str]) -> str:
        inner = match[1].removeprefix("$")
        if inner == "value":
            return "" if value is None else _short(value)
        if inner == "labels":
            return ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if v)
        return labels.get(inner.removeprefix("labels."), "")

    return _LABEL.sub(fill, text) if "{{" in text else text


def _short(value: float) -> str:
    """Three digits that count, or a whole number."""
    return f"{value:.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
