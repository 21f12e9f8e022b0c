"""Where settings come from: one YAML file, and the environment over it.

Here: reading both into one mapping, by the names of a model's fields, and saying what is wrong with a
value and where it stands. Not here: which settings there are and what they may be (`settings`).
"""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel

_NOT_SETTINGS = frozenset({"HOME", "KEK"})
_GONE = {"warehouse.dagster_port": "Dagster's page is a part of the app, under /dagster: remove it"}
"""What older homes may still set, and what there is in its place."""


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
            f"{file} is not YAML{_position(error)}. Correct it; see docs/configuration.md."
        ) from None
    if not isinstance(values, dict):
        raise SettingsProblem(f"{file} must hold a mapping of settings, see docs/configuration.md.")
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


def wrong_settings(
    model: type[BaseModel], errors: Sequence[Any], file: Path, environment: Mapping[str, str]
) -> str:
    """A sentence for each of a model's errors: the setting, what is wrong, the file or variable.

    No value is told: it may be a token.
    """
    return " ".join(_sentence(model, error, file, environment) for error in errors)


def _sentence(
    model: type[BaseModel], error: Any, file: Path, environment: Mapping[str, str]
) -> str:
    path = [str(part) for part in error["loc"]]
    variables = ("TTA_MONITOR_" + "__".join(path[:depth]).upper() for depth in (len(path), 1))
    place = next((name for name in variables if name in environment), file)
    if error["type"] == "extra_forbidden" and ".".join(path) in _GONE:
        return f"{place}: {'.'.join(path)} is no setting any more. {_GONE['.'.join(path)]}."
    if error["type"] == "extra_forbidden":
        names = _fields(model, path[:-1])
        near = get_close_matches(path[-1], names, 1) or sorted(names)
        return f"{place}: there is no setting {'.'.join(path)}; there is {', '.join(near)}."
    said = error["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
    return f"{place}: {'.'.join(path) or 'settings'} is wrong: {said}."


def _fields(model: Any, path: Sequence[str]) -> list[str]:
    """The settings of a section, by its path."""
    for part in path:
        field = model.model_fields.get(part) if _is_model(model) else None
        model = field.annotation if field else None
    return list(model.model_fields) if _is_model(model) else []


def _position(error: Any) -> str:
    """Where a YAML file breaks and why, without a line of it: that may hold a token."""
    mark = getattr(error, "problem_mark", None)
    return f" in line {mark.line + 1}: {error.problem}" if mark else ""


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
        if part not in fields and ".".join(path) in _GONE:
            return text  # The model names it, and what there is instead.
        if part not in fields:
            raise SettingsProblem(f"{variable} sets nothing: see docs/configuration.md.")
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
