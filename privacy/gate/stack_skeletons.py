"""Stack traces: frames stay, everything a value could hide in goes.

Here: Python, JavaScript (V8 and SpiderMonkey) and Java traces as text. Kept: header lines, the
structure of chains and groups, exception types, module, function, file below its package root, line
number. Dropped: source lines, locals, carets and any line of another shape. Messages become skeletons
through the function given. Not here: what a trace means (`ingestion/meaning/errors`).
"""

import re
from collections.abc import Callable
from functools import lru_cache

from privacy.detection.vocabulary.lexicon import is_only_a_name

# What no source file is called after: addresses, numbers of people, ids, keys.
_NO_FILE = re.compile(
    r"[\w.+-]@[\w-]+\.[A-Za-z]|\d{7}|\d{3}[-.]\d{2,4}[-.]\d{3,4}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|eyJ"
    r"|(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-fA-F]{2}[:-]){5}|AKIA|ghp_|glpat-|sk-\w{8}"
)
_MARGIN = re.compile(r"(\s*(?:\|\s*)*)(.*)\Z", re.DOTALL)
_PY_FRAME = re.compile(r'File "([^"]*)", line (\d+)(?:, in ([^\s()]+))?')
_JS_FRAME = re.compile(
    r"at (?:(?:async )?((?:new )?[\w$.#<>*]{1,200}(?: \[as [\w$.<>]{1,80}\])?) )?"
    r"\(?(?:async )?([^\s()]+?):(\d+)(?::(\d+))?\)?(?: \{)?\s*$"
)
# Only with a scheme and a column: `jane@example.com:10` is no frame.
_FIREFOX_FRAME = re.compile(
    r"([\w$.<>/*]{0,200})@([a-z][a-z+.-]*:/{2,3}[^\s()@]+?):(\d+):(\d+)\s*$"
)
_JAVA_FRAME = re.compile(
    r"at ((?:[\w$<>./@-]+/)?[\w$.<>]+)\(([\w$.]+\.\w+(?::\d+)?|Native Method|Unknown Source)\)"
)
_FRAMES_OMITTED = re.compile(r"\.\.\. \d{1,6} (?:more|common frames omitted)\s*$")
_REPEATED = re.compile(r"\[Previous line repeated \d{1,9} more times?\]\s*$")
_MEMBER = re.compile(r"\+-(?:\+-)?-*(?: \d{1,4} -*)?\s*$")
_HEADER = re.compile(
    r"(?:(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):|"
    r"During handling of the above exception, another exception occurred:|"
    r"The above exception was the direct cause of the following exception:)\s*$"
)
_EXCEPTION = re.compile(
    r"((?:Caused by: |Suppressed: |Uncaught |\[cause\]: )?)"
    r"([A-Za-z_$][\w$]*(?:\.(?:[A-Za-z_$][\w$]*|<locals>))*)(?:: ?(.*))?$"
)
_LOOKS_LIKE_TYPE = re.compile(
    r"(?:Error|Exception|Warning|Exit|Interrupt|Iteration|Group|Fault|Timeout|Throwable)\w*$"
)
# In the one place where Python prints a type, a dotted path to a class is one even without a telling end.
_QUALIFIED_TYPE = re.compile(r"(?:[a-z_]\w*\.)+(?:<locals>\.)?[A-Z]\w*$")
_UNTOLD_TYPE = "<type>"
_LIBRARY = re.compile(r"^.*(?:(?:site|dist)-packages/|(node_modules/))")
_STANDARD = re.compile(r"^.*/lib/python3\.\d+/(?!(?:site|dist)-packages/)")
_PROJECT = re.compile(r"^.*(?:\bsrc/|\bapp/|\bpackages/)")
_ORIGIN = re.compile(r"^(?:file:/{2,3}(?=[A-Za-z]:|/)?|[a-z][a-z+.-]*://[^/]*)", re.IGNORECASE)
_HOME = re.compile(r"^(?:[A-Za-z]:)?/(?:home|Users|root|var/home)/[^/]+/", re.IGNORECASE)
_MAX_LINES, _MAX_RAW_LINES = 600, 4_000


def scrub_stack(text: str, scrub: Callable[[str], str]) -> str:
    """The trace with frames and types only; lines of unknown shape are left out.

    A very long trace keeps its beginning and its end: Python raises at the end, others at the start.
    """
    lines = text.splitlines()
    if len(lines) > _MAX_RAW_LINES:
        half = _MAX_RAW_LINES // 2
        lines = lines[:half] + lines[-half:]
    kept = _Scrubber(scrub).lines(lines)
    if len(kept) > _MAX_LINES:
        half = _MAX_LINES // 2
        kept = kept[:half] + kept[-half:]
    return "\n".join(kept)


def short_file(path: str) -> str:
    """The file below its package root: no home directory, no deployment path.

    A file of an installed library begins with `site-packages/` or `node_modules/`, one of Python's
    own with `lib/python3/`: whose code it is must be told apart later.
    """
    if re.match(r"node:[\w/]+$", path):
        return path
    plain = path.replace("\\", "/").partition("?")[0]
    below = _ORIGIN.sub("/", plain) if "://" in plain or plain.startswith("file:") else plain
    below = _below_root(re.sub("^/{2,}", "/", below))
    is_library = below.startswith(("site-packages/", "node_modules/", "lib/python3/"))
    parts = [_file_part(part, is_library=is_library) for part in below[-160:].split("/")]
    return "/".join(parts)


@lru_cache(maxsize=20_000)
def _file_part(part: str, *, is_library: bool) -> str:
    """A folder or file name; `{id}` and its ending when it holds a number, an address or a name.

    Published libraries may be called like a person (`luigi`).
    """
    stem, dot, ending = part.rpartition(".")
    words = re.findall(r"[^\W\d_]+", stem or part)
    is_name = not is_library and any(is_only_a_name(word.lower()) for word in words)
    if is_name or _NO_FILE.search(part):
        return "{id}" + (dot + ending if stem and re.fullmatch(r"[a-z]{1,5}", ending) else "")
    return re.sub(r"[^\w.<>$@{}-]", "_", part)


def _below_root(path: str) -> str:
    library = _LIBRARY.match(path)
    if library:
        return (library[1] or "site-packages/") + path[library.end() :]
    standard = _STANDARD.match(path)
    if standard:
        return "lib/python3/" + path[standard.end() :]
    below = _PROJECT.sub("", path)
    if below == path:
        below = _HOME.sub("/", path)
        is_absolute = below.startswith("/") or re.match(r"[A-Za-z]:/", below)
        return "/".join([p for p in below.split("/") if p][-2:]) if is_absolute else below
    return below


class _Scrubber:
    """Reads a trace line by line; knows where a type may stand and where a message goes on."""

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub
        self._is_type_due = True
        self._is_python = False

    def lines(self, lines: list[str]) -> list[str]:
        """What is kept, in order."""
        kept = (self._line(line) for line in lines)
        return [line for line in kept if line is not None]

    def _line(self, line: str) -> str | None:
        margin, body = _MARGIN.match(line).groups()  # type: ignore[union-attr] - matches any text
        bars = "  | " * margin.count("|")
        structure = self._structure(bars, body)
        if structure is not None:
            return structure
        frame = _frame(body)
        if frame is not None:
            self._is_type_due = self._is_python
            return bars + frame
        return self._exception(bars, margin, body)

    def _structure(self, bars: str, body: str) -> str | None:
        """Lines without a word of anybody: headers, group members, counts of omitted frames."""
        if _HEADER.match(body):
            self._is_type_due, self._is_python = False, "Traceback" in body or self._is_python
            return bars + body.strip()
        if _REPEATED.match(body):
            return f"{bars}  {body.strip()}"
        if _FRAMES_OMITTED.match(body):
            return f"{bars}\t{body.strip()}"
        if body.startswith("+-") and _MEMBER.match(body):
            self._is_type_due = self._is_python = True
            return bars + body.strip()
        return None

    def _exception(self, bars: str, margin: str, body: str) -> str | None:
        found = _EXCEPTION.match(body)
        is_indented = margin.rpartition("|")[2].strip("\n") not in {"", " "}
        if not found or (is_indented and not found[1]):
            return None
        lead, name, message = found.groups()
        is_due = (self._is_type_due and not is_indented) or bool(lead)
        if not is_due:
            return None
        if not _LOOKS_LIKE_TYPE.search(name):
            if not self._is_python or lead:
                return None
            name = name if _QUALIFIED_TYPE.match(name) else _UNTOLD_TYPE
        self._is_type_due = False
        indent = "\t" if lead and is_indented else ""
        return f"{bars}{indent}{lead}{name}" + (f": {self._scrub(message)}" if message else "")


def _frame(body: str) -> str | None:
    frame = _PY_FRAME.match(body)
    if frame:
        function = f", in {frame[3]}" if frame[3] else ""
        return f'  File "{short_file(frame[1])}", line {frame[2]}{function}'
    frame = _JAVA_FRAME.match(body)
    if frame:
        return f"\tat {frame[1]}({frame[2]})"
    frame = _JS_FRAME.match(body) or _FIREFOX_FRAME.match(body)
    if frame:
        column = f":{frame[4]}" if frame[4] else ""
        return f"    at {frame[1] or '<anonymous>'} ({short_file(frame[2])}:{frame[3]}{column})"
    return None
