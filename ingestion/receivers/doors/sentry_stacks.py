"""Sentry's frames as the trace text that the language itself prints.

Here: Python, V8 and Java text from `exception.values`, so that one error groups alike however it was
captured. Not here: events (`sentry`). Frames come oldest first, exceptions root cause first; locals and
source lines are not read. Source: develop.sentry.dev, "Stack Trace Interface" and "Exception Interface".
"""

from collections.abc import Mapping, Sequence
from typing import Any

_MAX_FRAMES, _MAX_LINKS, _MAX_NAME = 250, 50, 300
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_TRACEBACK = "Traceback (most recent call last):"


def qualified_type(value: Mapping[str, Any], platform: str) -> str:
    """The type with its module, as tracebacks print it."""
    name, module = _name(value.get("type")), _name(value.get("module"))
    if not module or module in {"builtins", "__main__"} or platform in {"node", "javascript"}:
        return name
    return name if name.startswith(f"{module}.") else f"{module}.{name}"


def trace_text(values: Sequence[Mapping[str, Any]], platform: str) -> str:
    """The trace of a chain of exceptions; empty when no exception has frames."""
    chosen = list(values[-_MAX_LINKS:])
    if not any(_frames(value) for value in chosen):
        return ""
    if platform in {"node", "javascript"}:
        return "\n[cause]: ".join(_v8(value) for value in reversed(chosen))
    if platform == "java":
        return "\nCaused by: ".join(_java(value) for value in reversed(chosen))
    return _python(chosen, platform)


def _python(values: Sequence[Mapping[str, Any]], platform: str) -> str:
    groups = [v for v in values if _mechanism(v).get("is_exception_group")]
    if not groups:
        return _CAUSE.join(_traceback(value, platform) for value in values)
    outer = groups[-1]
    members = [v for v in values if v is not outer]
    lines = [f"  + Exception Group {_TRACEBACK}"]
    lines += [f"  | {line}" for line in _traceback(outer, platform).splitlines()[1:]]
    for number, member in enumerate(reversed(members), start=1):
        lines.append(f"  +-+---------------- {number} ----------------")
        lines += [f"    | {line}" for line in _traceback(member, platform).splitlines()]
    return "\n".join([*lines, "    +------------------------------------"])


def _traceback(value: Mapping[str, Any], platform: str) -> str:
    frames = [
        f'  File "{_name(f.get("abs_path")) or _name(f.get("filename"))}", line {_line(f)},'
        f" in {_last(_name(f.get('function'))) or '<module>'}"
        for f in _frames(value)
    ]
    return "\n".join([_TRACEBACK, *frames, _headline(value, platform)])


def _v8(value: Mapping[str, Any]) -> str:
    frames = []
    for frame in reversed(_frames(value)):
        function = _name(frame.get("function")).replace("?", "<anonymous>") or "<anonymous>"
        path = _name(frame.get("abs_path")) or _name(frame.get("filename"))
        frames.append(f"    at {function} ({path}:{_line(frame)}:{_line(frame, 'colno')})")
    return "\n".join([_headline(value, "node"), *frames])


def _java(value: Mapping[str, Any]) -> str:
    frames = []
    for frame in reversed(_frames(value)):
        where = _name(frame.get("filename")) or "Unknown Source"
        number = f":{_line(frame)}" if frame.get("filename") and _line(frame) else ""
        method = f"{_name(frame.get('module'))}.{_name(frame.get('function'))}"
        frames.append(f"\tat {method}({where}{number})")
    return "\n".join([_headline(value, "java"), *frames])


def _headline(value: Mapping[str, Any], platform: str) -> str:
    message = value.get("value")
    text = f": {message[:8_000]}" if isinstance(message, str) and message else ""
    return qualified_type(value, platform) + text


def _frames(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    stack = value.get("stacktrace")
    frames = stack.get("frames") if isinstance(stack, dict) else None
    listed = frames if isinstance(frames, list) else []
    found: list[Mapping[str, Any]] = [f for f in listed if isinstance(f, dict)]
    if len(found) > _MAX_FRAMES:
        found = found[: _MAX_FRAMES // 2] + found[-_MAX_FRAMES // 2 :]
    return found


def _mechanism(value: Mapping[str, Any]) -> Mapping[str, Any]:
    found = value.get("mechanism")
    return found if isinstance(found, dict) else {}


def _line(frame: Mapping[str, Any], name: str = "lineno") -> int:
    number = frame.get(name)
    return number if isinstance(number, int) and number > 0 else 0


def _last(function: str) -> str:
    """`Class.method` and `f.<locals>.g` as tracebacks name them."""
    return function.rpartition(".")[2]


def _name(value: Any) -> str:
    return (
        "".join(value.split("\n"))[:_MAX_NAME].replace('"', "_") if isinstance(value, str) else ""
    )
