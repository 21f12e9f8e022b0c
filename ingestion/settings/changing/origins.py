"""Where the value of each setting comes from: a variable, a line of the file, or the default.

Not here: changing one (`section_text`). Values that are secrets are told by their number alone.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ingestion.settings.whole import Settings

SECRETS = frozenset({"receiver.tokens", "alerting.webhook_url"})
"""Settings whose value opens something."""
PREFIX = "TTA_MONITOR_"
_UNSET = "not set"
Origin = Literal["default", "file", "environment"]


@dataclass(frozen=True)
class Setting:
    """One setting in force: `value` and `default` as people read them, `place` a variable or a line."""

    name: str
    value: str
    default: str
    origin: Origin
    place: str
    meaning: str

    @property
    def section(self) -> str:
        """The part before the first dot."""
        return self.name.partition(".")[0]


def in_force(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[Setting]:
    """Every setting with its value in these settings and where that stands, in the order of sections."""
    lines = lines_of(settings.home / "config.yaml")
    found = []
    for name, field, value in _leaves(settings, ""):
        origin, place = _origin(name, lines, environment)
        default = (
            "" if field.is_required() else told(name, field.get_default(call_default_factory=True))
        )
        found.append(
            Setting(name, told(name, value), default, origin, place, field.description or "")
        )
    return found


def told(name: str, value: Any) -> str:
    """A value as it would stand in the file; of a secret only whether there is one."""
    if value is None or value in ("", [], {}):
        return _UNSET
    if name in SECRETS:
        return f"secret, {len(value)} set" if isinstance(value, dict) else "secret, set"
    if isinstance(value, list):
        return ", ".join(told(name, one) for one in value)
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {told(name, one)}" for key, one in value.items())
    return str(value).lower() if isinstance(value, bool) else str(getattr(value, "value", value))


def lines_of(file: Path) -> dict[str, int]:
    """The line of every key of a YAML file, by its path; empty without a file that can be read."""
    try:
        root = yaml.compose(file.read_text(), Loader=yaml.SafeLoader)
    except (OSError, UnicodeError, yaml.YAMLError):
        return {}
    return dict(_keys(root, "")) if root else {}


def _keys(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, below in node.value:
        name = f"{path}{key.value}"
        yield name, key.start_mark.line + 1
        yield from _keys(below, f"{name}.")


def _leaves(model: BaseModel, path: str) -> Iterator[tuple[str, FieldInfo, Any]]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, f"{path}{name}.")
        elif path:
            yield f"{path}{name}", field, value


def _origin(
    name: str, lines: Mapping[str, int], environment: Mapping[str, str]
) -> tuple[Origin, str]:
    """A variable goes before the file, and one of the setting before one of its whole section."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        variable = PREFIX + "__".join(parts[:depth]).upper()
        if variable in environment:
            return "environment", variable
    if name in lines:
        return "file", f"config.yaml, line {lines[name]}"
    return "default", ""
