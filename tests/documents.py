"""README.md and docs/ as tests read them: which documents there are, and what stands in one.

Here: texts, headings with their anchors, links, tables, snippets, by the rules of GitHub's Markdown as far as we
use it. Not here: what must stand in a document (`test_documents`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#{1,4}) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Heading:
    """A heading, the text below it up to the next one of any level, and where a link finds it."""

    level: int
    title: str
    anchor: str
    text: str


@cache
def documents() -> tuple[Path, ...]:
    """README.md and every page of docs/."""
    return (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


@cache
def text(name: str) -> str:
    """A document by its path in the repository, such as `docs/connect.md`."""
    return (ROOT / name).read_text()


def everything() -> str:
    """All documents as one text."""
    return "\n".join(file.read_text() for file in documents())


def headings(content: str) -> list[Heading]:
    """The headings of a document, outside of snippets."""
    plain = _FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), content)
    found = list(_HEADING.finditer(plain))
    ends = [match.start() for match in found[1:]] + [len(content)]
    seen: dict[str, int] = {}
    made = []
    for match, end in zip(found, ends, strict=True):
        anchor = _anchor(match[2])
        number = seen[anchor] = seen.get(anchor, -1) + 1
        made.append(
            Heading(
                len(match[1]),
                match[2].strip(),
                f"{anchor}-{number}" if number else anchor,
                content[match.end() : end],
            )
        )
    return made


def section(content: str, title: str) -> str:
    """The text below a heading, with everything deeper."""
    every = headings(content)
    (place,) = [n for n, heading in enumerate(every) if heading.title == title]
    parts = [every[place].text]
    for heading in every[place + 1 :]:
        if heading.level <= every[place].level:
            break
        parts.append(heading.text)
    return "\n".join(parts)


def rows(content: str) -> list[list[str]]:
    """The rows of all tables of a text, without heads; a `|` of a cell is written `\\|`."""
    found: list[list[str]] = []
    lines = content.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("|") or re.fullmatch(r"\|[-| ]+\|", line):
            continue
        is_head = number + 1 < len(lines) and re.fullmatch(r"\|[-| ]+\|", lines[number + 1])
        if not is_head:
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            found.append([cell.strip() for cell in cells])
    return found


def quoted(content: str) -> list[str]:
    """What stands in `code` in a text."""
    return re.findall(r"`([^`\n]+)`", content)


def links(content: str) -> list[str]:
    """Targets of links and pictures, outside of snippets and code."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", _FENCE.sub("", content)))


def snippets(content: str) -> Iterator[tuple[str, str]]:
    """(language, text) of every fenced block."""
    yield from ((found[1], found[2]) for found in _FENCE.finditer(content))


def _anchor(title: str) -> str:
    """GitHub's: lower case, without punctuation, spaces as hyphens."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
