"""Stack traces: frames stay, everything a value could hide in goes.

Here: Python, JavaScript and Java traces as text. Kept: header lines, exception types, module,
function, file below its package root, line number. Dropped: source lines, locals, carets and any
line of another shape. Messages become skeletons through the function given.
"""

import re
from collections.abc import Callable

_PY_FRAME = re.compile(r'\s*(?:\|\s*)*File "([^"]*)", line (\d+)(?:, in (\S+))?')
_JS_FRAME = re.compile(
    r"\s*at (?:(async )?([\w$.<>\[\] ]{1,200}?) )?\(?([^\s()]+?):(\d+)(?::(\d+))?\)?\s*$"
)
_JAVA_FRAME = re.compile(
    r"\s*at ((?:[\w$<>./@-]+/)?[\w$.<>]+)\(([\w$.]+\.\w+(?::\d+)?|Native Method|Unknown Source)\)"
)
_HEADER = re.compile(
    r"\s*(?:[+|\s-]*)?(?:(?:Exception Group )?Traceback \(most recent call last\):|"
    r"During handling of the above exception, another exception occurred:|"
    r"The above exception was the direct cause of the following exception:)\s*$"
)
_EXCEPTION = re.compile(
    r"(\s*(?:\|\s*)*(?:Caused by: |Suppressed: |Uncaught )?)"
    r"([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)(?:: ?(.*))?$"
)
_LOOKS_LIKE_TYPE = re.compile(
    r"(?:Error|Exception|Warning|Exit|Interrupt|Iteration|Group|Fault|Timeout|Throwable)\w*$"
)
_ROOTS = re.compile(
    r"^.*(?:site-packages/|dist-packages/|node_modules/|/lib/python3\.\d+/|\bsrc/|\bapp/|\bpackages/)"
)
_MAX_LINES = 400


def scrub_stack(text: str, scrub: Callable[[str], str]) -> str:
    """The trace with frames and types only; lines of unknown shape are left out."""
    kept = (_scrub_line(line, scrub) for line in text.splitlines()[:_MAX_LINES])
    return "\n".join(line for line in kept if line is not None)


def short_file(path: str) -> str:
    """The file below its package root: no home directory, no deployment path."""
    plain = path.replace("\\", "/")
    below = _ROOTS.sub("", plain)
    if below == plain and plain.startswith("/"):
        below = "/".join(plain.split("/")[-2:])
    return re.sub(r"[^\w./<>$@-]", "_", below)[-160:]


def _scrub_line(line: str, scrub: Callable[[str], str]) -> str | None:
    if _HEADER.match(line):
        return line.strip()
    frame = _PY_FRAME.match(line)
    if frame:
        function = f", in {frame[3]}" if frame[3] else ""
        return f'  File "{short_file(frame[1])}", line {frame[2]}{function}'
    frame = _JAVA_FRAME.match(line)
    if frame:
        return f"\tat {frame[1]}({frame[2]})"
    frame = _JS_FRAME.match(line)
    if frame:
        column = f":{frame[5]}" if frame[5] else ""
        return f"    at {frame[2] or '<anonymous>'} ({short_file(frame[3])}:{frame[4]}{column})"
    return _exception_line(line, scrub)


def _exception_line(line: str, scrub: Callable[[str], str]) -> str | None:
    found = _EXCEPTION.match(line)
    if not found or (line[:1].isspace() and "|" not in found[1]):
        return None
    if not _LOOKS_LIKE_TYPE.search(found[2]):
        return None
    message = f": {scrub(found[3])}" if found[3] else ""
    return f"{found[1].strip()} {found[2]}{message}".strip()
