"""What a recogniser says: a stretch of the text, its type, and what stands there afterwards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

MARKS = (
    r"\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f"
    r"\u0670\u06d6-\u06ed\u0900-\u109f\u1780-\u17ff"
)
"""For a character class: the signs of vowels and tones of scripts whose words hold more than `\\w`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Code points start..end of the text; `replacement` None means `<type>`."""

    start: int
    end: int
    type: str
    replacement: str | None = None


def any_case(alternatives: str) -> str:
    """A pattern of `by|for|…` in any case, quick because the first letters tell the alternatives apart."""
    return "|".join(f"[{a[0].upper()}{a[0]}](?i:{a[1:]})" for a in alternatives.split("|"))


def union(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in order and without overlap; those that overlap become one, typed by the first."""
    merged: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.start, -f.end)):
        last = merged[-1] if merged else None
        if last is None or finding.start >= last.end:
            merged.append(finding)
        elif finding.end > last.end:
            merged[-1] = Finding(last.start, finding.end, last.type)
    return merged


def render(text: str, findings: Sequence[Finding]) -> str:
    """The text with each finding (ordered, apart) replaced by its type or replacement."""
    parts: list[str] = []
    at = 0
    for finding in findings:
        parts.append(text[at : finding.start])
        parts.append(f"<{finding.type}>" if finding.replacement is None else finding.replacement)
        at = finding.end
    parts.append(text[at:])
    return "".join(parts)


def blank(text: str, findings: Iterable[Finding]) -> str:
    """The text, as long as before, with every finding overwritten by a sign that no word has."""
    parts: list[str] = []
    at = 0
    for finding in sorted(findings, key=_START):
        if finding.end > at:
            start = max(finding.start, at)
            parts.append(text[at:start])
            parts.append("\x01" * (finding.end - start))
            at = finding.end
    parts.append(text[at:])
    return "".join(parts)


_START = attrgetter("start")
