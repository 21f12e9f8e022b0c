"""One section of `config.yaml` as text: shown without its secrets, checked as a whole, written in its place.

Not here: where values come from (`origins`). Everything else in the file stays as it is, comments included.
A secret is shown as `kept`; left so, it is written as it was.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ingestion.settings.changing.origins import PREFIX, SECRETS
from ingestion.settings.sources import SettingsProblem, from_environment, merged, wrong_settings
from ingestion.settings.whole import Settings
from privacy.disk.files import write_whole

KEPT = "<kept>"
SECTIONS = tuple(name for name in Settings.model_fields if name != "home")
_LONGEST = 100_000
# What reads a section when it begins; who reads none of these reads all settings and uses none of it.
_READERS: Mapping[str, tuple[str, ...]] = {
    "receiver": ("receiver", "collectors", "dagster", "app"),
    "audit": ("receiver", "live-tail", "dagster", "app"),
    "access": ("app", "live-tail"),
    "gate": ("receiver", "dagster"),
    "live": ("live-tail", "app"),
    "warehouse": ("dagster", "live-tail"),
    "app": ("app",),
    "alerting": ("live-tail", "notifier"),
    "errors": ("receiver", "live-tail", "dagster"),
    "collectors": ("collectors",),
    "prices": ("app",),
    "release": ("dagster",),
    "reports": ("dagster", "app"),
    "retention": ("dagster",),
}


def readers(section: str) -> tuple[str, ...]:
    """The processes that take a change of a section when they start again."""
    return _READERS[section]


def section_text(home: Path, section: str) -> str:
    """The section as the file has it, `section:` included, secrets as `<kept>`; a stub when it is not there.

    Raises SettingsProblem for a file that is not YAML.
    """
    text = _file_text(home)
    span = _span(text, section)
    if span is None:
        return f"{section}: {{}}\n"
    own = text[span[0] : span[1]]
    return _replaced(own, {node: KEPT for node in _secret_nodes(own)})


def check(home: Path, section: str, text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The whole file as it would be. Raises SettingsProblem that names every wrong setting."""
    if len(text) > _LONGEST:
        raise SettingsProblem(f"a section is longer than {_LONGEST:,} characters: say it shorter.")
    given = _mapping(text, f"section {section}")
    if set(given) != {section}:
        raise SettingsProblem(f"the text must hold one section and begin with `{section}:`.")
    before = _file_text(home)
    changed = _with_section(before, section, _with_secrets(text, before))
    values = merged(
        _mapping(changed, "config.yaml"), from_environment(Settings, environment, PREFIX)
    )
    try:
        Settings(**{**values, "home": home})
    except ValidationError as error:
        found = wrong_settings(Settings, error.errors(), home / "config.yaml", environment)
        raise SettingsProblem(f"{found} Nothing was changed.") from None
    return changed


def save(home: Path, section: str, text: str) -> None:
    """Check a section and write it into the file. Raises SettingsProblem, the file untouched."""
    write_whole(home / "config.yaml", check(home, section, text).encode())


def _file_text(home: Path) -> str:
    file = home / "config.yaml"
    return file.read_text() if file.exists() else ""


def _mapping(text: str, what: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else ""
        raise SettingsProblem(f"{what} is not YAML{where}. Nothing was changed.") from None
    if not isinstance(found, dict):
        raise SettingsProblem(f"{what} must be a mapping of settings. Nothing was changed.")
    return found


def _top(text: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        raise SettingsProblem("config.yaml is not YAML: correct the file first.") from None
    if isinstance(root, yaml.MappingNode):
        if root.flow_style:
            raise SettingsProblem(
                "config.yaml is written in braces: write each section on lines of its own."
            )
        yield from root.value


def _span(text: str, section: str) -> tuple[int, int] | None:
    """Begin and end of a section in the text: whole lines, up to the next section's."""
    keys = [(key.value, key.start_mark) for key, _ in _top(text)]
    for place, (name, mark) in enumerate(keys):
        if name == section:
            following = keys[place + 1][1].index if place + 1 < len(keys) else len(text)
            return mark.index, following
    return None


def _with_section(before: str, section: str, text: str) -> str:
    span = _span(before, section)
    own = text.strip("\n") + "\n"
    if span is None:
        return (before.rstrip("\n") + "\n" if before.strip() else before) + own
    return before[: span[0]] + own + before[span[1] :]


def _with_secrets(text: str, before: str) -> str:
    """The text with the secrets that it leaves as they were. Raises SettingsProblem where there was none."""
    known = {node.path: node.value for node in _secret_nodes(before)}
    kept = [node for node in _secret_nodes(text) if node.value == KEPT]
    missing = [node.path for node in kept if node.path not in known]
    if missing:
        raise SettingsProblem(f"{missing[0]} has no value to keep: write one. Nothing was changed.")
    return _replaced(text, {node: json.dumps(known[node.path]) for node in kept})


class _Place:
    """A scalar that is a secret: its path, its value, and where it stands."""

    def __init__(self, path: str, node: yaml.ScalarNode) -> None:
        self.path, self.value = path, str(node.value)
        self.begin, self.end = node.start_mark.index, node.end_mark.index


def _secret_nodes(text: str) -> list[_Place]:
    return [place for key, node in _top(text) for place in _scalars(node, str(key.value))]


def _scalars(node: yaml.Node, path: str) -> Iterator[_Place]:
    if isinstance(node, yaml.MappingNode):
        for key, below in node.value:
            yield from _scalars(below, f"{path}.{key.value}")
    elif isinstance(node, yaml.ScalarNode) and any(
        path == name or path.startswith(f"{name}.") for name in SECRETS
    ):
        yield _Place(path, node)


def _replaced(text: str, values: Mapping[_Place, str]) -> str:
    for place in sorted(values, key=lambda one: one.begin, reverse=True):
        text = text[: place.begin] + values[place] + text[place.end :]
    return text
