"""Planted words that the active stack must find before it may be trusted with anybody's.

Here: reading `canaries.txt`, running it, counting by type. Not here: what follows from the count
(`identity`). Every structured type, names of many cultures, cues; chat and log.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from privacy.detection.redact import find

FILE = Path(__file__).with_name("canaries.txt")
_LABEL = re.compile(r"\{\{(\w+)\|(.*?)\}\}")


@dataclass(frozen=True)
class Canary:
    """A text of a kind of `redact.KINDS` and one stretch of it that must be covered."""

    kind: str
    text: str
    start: int
    end: int
    type: str


@dataclass(frozen=True)
class CanaryRun:
    """Found and planted by type, e.g. `{"EMAIL": (8, 8)}`."""

    by_type: Mapping[str, tuple[int, int]]

    @property
    def planted(self) -> int:
        """Canaries in all."""
        return sum(planted for _, planted in self.by_type.values())

    @property
    def recall(self) -> float:
        """Share of all canaries that were found."""
        return sum(found for found, _ in self.by_type.values()) / self.planted

    @property
    def weakest(self) -> float:
        """The lowest recall of any type: one broken recogniser must not drown in the others."""
        return min(found / planted for found, planted in self.by_type.values())


@cache
def canaries() -> tuple[Canary, ...]:
    """The shipped set."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return tuple(c for line in lines if not line.startswith("# ") for c in _parse(line))


def run() -> CanaryRun:
    """Every canary through the active stack; a stack that raises has found nothing."""
    counts: dict[str, tuple[int, int]] = {}
    for canary in canaries():
        found, planted = counts.get(canary.type, (0, 0))
        counts[canary.type] = (found + _is_found(canary), planted + 1)
    return CanaryRun(counts)


def _is_found(canary: Canary) -> bool:
    try:
        spans = find(canary.text, canary.kind)
    except Exception:  # noqa: BLE001 - whatever breaks it, it does not protect
        return False
    covered = {place for span in spans for place in range(span.start, span.end)}
    places = range(canary.start, canary.end)
    return all(place in covered for place in places if canary.text[place].isalnum())


def _parse(line: str) -> list[Canary]:
    kind, _, marked = line.partition("\t")
    text, at, marks = "", 0, []
    for match in _LABEL.finditer(marked):
        text += marked[at : match.start()]
        marks.append((len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        at = match.end()
    text += marked[at:]
    return [Canary(kind, text, *mark) for mark in marks]
