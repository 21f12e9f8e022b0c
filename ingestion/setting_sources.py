"""Where settings come from: one YAML file, and the environment over it.

Here: reading both into one mapping, by the names of a model's fields. Not here: which settings
there are and what they may be (`settings`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel

_NOT_SETTINGS = frozenset({"HOME", "KEK"})


class SettingsProblem(Exception):
    """A setting is wrong; the message names it, the cause and the fix."""


def from_file(file: Path) -> dict[str, Any]:
    """The mapping in a YAML file, empty without one. Raises SettingsProblem."""
    if not file.exists():
        return {}
    import yaml  # noqa: PLC0415 - most homes have no file, and a command starts without

    try:
        values = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as error:
        raise SettingsProblem(
            f"{file} is not YAML: {error}. Correct it; see README, Configuration."
        ) from None
    if not isinstance(values, dict):
        raise SettingsProblem(f"{file} must hold a mapping of settings, see README, Configuration.")
    return values


def from_environment(
    model: type[BaseModel], environment: Mapping[str, str], prefix: str
) -> dict[str, Any]:
    """What variables set: `<prefix>LIVE__PORT=1`, a whole section or a list as JSON.

    Raises SettingsProblem for JSON that is none and for a setting that does not exist.
    """
    given = {k.removeprefix(prefix): v for k, v in environment.items() if k.startswith(prefix)}
    found: dict[str, Any] = {}
    for name, text in sorted(given.items()):
        path = name.lower().split("__")
        if name in _NOT_SETTINGS or (len(path) == 1 and path[0] not in model.model_fields):
            continue
        _put(found, path, _read(model, path, text, prefix + name))
    return found


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """One mapping over another, section by section."""
    result = dict(below)
    for name, value in above.items():
        under = result.get(name)
        is_section = isinstance(value, dict) and isinstance(under, dict)
        result[name] = merged(under, value) if is_section else value  # type: ignore[arg-type]
    return result


def _read(model: type[BaseModel], path: list[str], text: str, variable: str) -> Any:
    kind: Any = model
    for part in path:
        fields = kind.model_fields if _is_model(kind) else {}
        if part not in fields:
            raise SettingsProblem(f"{variable} sets nothing: see README, Configuration.")
        kind = fields[part].annotation
    if not _is_model(kind) and get_origin(kind) not in {dict, list}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise SettingsProblem(f"{variable} is not JSON: correct it.") from None


def _put(found: dict[str, Any], path: list[str], value: Any) -> None:
    """Shorter names come first, so that a single setting wins over its whole section."""
    for part in path[:-1]:
        below = found.get(part)
        found[part] = below if isinstance(below, dict) else {}
        found = found[part]
    found[path[-1]] = value


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
