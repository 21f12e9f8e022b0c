"""Gated stack traces as data: Python, JavaScript and Java text in, a chain of exceptions out.

Here: chains, exception groups, recursion markers, omitted frames. Not here: which frames count
(`frames`). The text is what `privacy.gate.stack_skeletons` leaves; it also reads traces that never passed it.
"""

import re
from dataclasses import dataclass, field

from ingestion.meaning.errors.error_records import Frame, Link, Stack

_PY_FRAME = re.compile(r'\s*(?:\|\s*)*File "([^"]*)", line (\d+)(?:, in (\S+))?')
_JAVA_FRAME = re.compile(r"\s*at (?:[\w$./@-]+/)?([\w$.<>]+)\.([\w$<>]+)\(([^()]*)\)\s*$")
_JS_FRAME = re.compile(r"\s*at (.+?) \((.+?):(\d+)(?::\d+)?\)(?: \{)?\s*$")
_JS_BARE_FRAME = re.compile(r"\s*at (?:async )?([^\s()]+?):(\d+)(?::\d+)?\s*$")
_TYPE = re.compile(
    r"(\s*(?:\|\s*)*)(Caused by: |Suppressed: |Uncaught |\[cause\]: )?"
    r"([A-Za-z_$<][\w$.<>]*)(?:: ?(.*))?$"
)
_MEMBER = re.compile(r"[\s|+-]*- \d+ -+\s*$")
_CHAINED = ("During handling of the above", "The above exception was the direct cause")


@dataclass
class _Open:
    """A link while its lines are read."""

    type: str = ""
    message: str = ""
    frames: list[Frame] = field(default_factory=list)
    is_member: bool = False
    is_suppressed: bool = False

    def closed(self) -> Link:
        return Link(self.type, self.message, tuple(self.frames), self.is_member)


def parse_stack(text: str, fallback_type: str = "") -> Stack | None:
    """The chain of a trace, or None when the text holds no frame and no type.

    `fallback_type` names the outermost exception where the text does not.
    """
    if not text.strip():
        return None
    lines = text.splitlines()
    if any("Traceback (most recent call last)" in line for line in lines) or any(
        _PY_FRAME.match(line) for line in lines
    ):
        stack = Stack("python", tuple(_python(lines)))
    else:
        is_java = any(_JAVA_FRAME.match(line) and _is_java(line) for line in lines)
        stack = Stack("java" if is_java else "javascript", tuple(_caused(lines, is_java=is_java)))
    return _with_fallback(stack, fallback_type)


def _with_fallback(stack: Stack, fallback: str) -> Stack | None:
    links = [link for link in stack.links if link.type or link.frames]
    if not links:
        return None
    last = max((i for i, link in enumerate(links) if not link.is_member), default=len(links) - 1)
    if links[last].type in {"", "<type>"}:
        links[last] = Link(fallback, links[last].message, links[last].frames, links[last].is_member)
    return Stack(stack.language, tuple(links))


def _python(lines: list[str]) -> list[Link]:
    """Python prints the root cause first, and the type after its frames."""
    links: list[_Open] = []
    open_ = _Open()
    is_member = False
    for line in lines:
        bare = line.strip(" |+-")
        if "Traceback (most recent call last)" in line:
            open_ = _Open(is_member=is_member)
            links.append(open_)
        elif _MEMBER.match(line):
            is_member = True
            open_ = _Open(is_member=True)
            links.append(open_)
        elif bare.startswith(_CHAINED):
            is_member = "|" in line
        elif frame := _PY_FRAME.match(line):
            if not links:
                links.append(open_)
            open_.frames.append(Frame(frame[1], frame[3] or "<module>", int(frame[2])))
        elif not open_.type and (found := _TYPE.match(line)):
            if not links:
                links.append(open_)
            open_.type, open_.message = found[3], found[4] or ""
    return [link.closed() for link in links]


def _caused(lines: list[str], *, is_java: bool) -> list[Link]:
    """JavaScript and Java print the outermost first, each with its youngest frame first."""
    links: list[_Open] = []
    for line in lines:
        frame = _java_frame(line) if is_java else _js_frame(line)
        if frame is not None:
            if not links:
                links.append(_Open())
            links[-1].frames.append(frame)
            continue
        found = _TYPE.match(line)
        if not found or (links and not found[2]):
            continue
        is_suppressed = found[2] == "Suppressed: " or (
            bool(links) and links[-1].is_suppressed and bool(found[1])
        )
        links.append(_Open(found[3], found[4] or "", is_suppressed=is_suppressed))
    kept = [link for link in links if not link.is_suppressed]
    for link in kept:
        link.frames.reverse()
    if is_java:
        _drop_common(kept)
    return [link.closed() for link in reversed(kept)]


def _drop_common(links: list[_Open]) -> None:
    """Java elides the outer frames that a cause shares with its enclosing trace; some SDKs do not."""
    for enclosing, cause in zip(links[-2::-1], links[:0:-1], strict=False):
        shared = 0
        for ours, theirs in zip(cause.frames, enclosing.frames, strict=False):
            if (ours.module, ours.function, ours.line) != (
                theirs.module,
                theirs.function,
                theirs.line,
            ):
                break
            shared += 1
        del cause.frames[: min(shared, max(len(cause.frames) - 1, 0))]


def _java_frame(line: str) -> Frame | None:
    found = _JAVA_FRAME.match(line)
    if not found:
        return None
    number = found[3].rpartition(":")[2]
    return Frame(found[1], found[2], int(number) if number.isdigit() else None)


def _is_java(line: str) -> bool:
    inside = line.rpartition("(")[2]
    return bool(re.match(r"(?:[\w$.]+\.(?:java|kt|scala|groovy)\b|Native Method|Unknown)", inside))


def _js_frame(line: str) -> Frame | None:
    found = _JS_FRAME.match(line)
    if found:
        return Frame(found[2], found[1], int(found[3]))
    bare = _JS_BARE_FRAME.match(line)
    return Frame(bare[1], "<anonymous>", int(bare[2])) if bare else None
