"""Planted words that the active stack must find before it may be trusted with anybody's.

Here: reading `canaries.txt`, running it, counting by type. Not here: what follows from the count
(`identity`). Every structured type, names of many cultures, cues; chat and log.
"""

import json
import os
import re
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from privacy.detection.redact import find
from privacy.detection.without_names import has_names, with_names

FILE = Path(__file__).with_name("canaries.txt")
_PATIENCE_S = 120
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
    """Every canary through the active stack; a stack that raises has found nothing.

    Where names are not found in this process, another one is asked about those in messages.
    """
    if has_names():
        return CanaryRun(_counts(canaries()))
    counts = _counts([c for c in canaries() if c.kind == "log"])
    for kind, (found, planted) in of_messages(*_ask_another()).items():
        before = counts.get(kind, (0, 0))
        counts[kind] = (before[0] + found, before[1] + planted)
    return CanaryRun(counts)


def _ask_another() -> tuple[bytes, int]:
    """What a fork of this process, which then finds names, counts, and its exit code.

    A fork, because it shares what both need: the recognisers and the lists of words.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            signal.alarm(_PATIENCE_S)
            with_names()
            found = {kind: found for kind, (found, _) in _counts(_messages()).items()}
            os.write(writing, json.dumps(found).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    return told, os.waitpid(process, 0)[1]


def _messages() -> list[Canary]:
    return [c for c in canaries() if c.kind == "chat"]


def of_messages(told: bytes, code: int) -> dict[str, tuple[int, int]]:
    """What another process counted; when it failed, nothing was found."""
    planted = Counter(c.type for c in _messages())
    found = json.loads(told) if code == 0 else {}
    return {kind: (found.get(kind, 0), number) for kind, number in planted.items()}


def _counts(some: Sequence[Canary]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for canary in some:
        found, planted = counts.get(canary.type, (0, 0))
        counts[canary.type] = (found + _is_found(canary), planted + 1)
    return counts


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
