"""Labelled text `{{TYPE|words}}` and the measure over it: whole spans covered, with Wilson's interval.

`python -m tests.privacy.detection.labelled` prints the lines of the table of the whole stack in `MODEL_CARD.md`.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from privacy.detection.redact import redact

HELD_OUT = Path(__file__).with_name("held_out")
_LABEL = re.compile(r"\{\{(\w+)\|(.*?)\}\}", re.DOTALL)
_WORD = re.compile(r"[^\W\d]{2,}")


@dataclass(frozen=True)
class Labelled:
    """A text, what is personal in it, and where it names software (set E and later)."""

    text: str
    gold: list[tuple[int, int, str]]
    software: list[tuple[int, int]]


@dataclass
class Measured:
    """Spans found and missed, neutral words and characters kept and masked."""

    found: int = 0
    spans: int = 0
    kept: int = 0
    words: int = 0
    masked: int = 0
    neutral: int = 0
    covered: int = 0
    letters: int = 0
    whole: int = 0
    named: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.spans

    @property
    def of_letters(self) -> float:
        """Share of the personal letters and digits that were found."""
        return self.covered / self.letters

    @property
    def software(self) -> float:
        """Share of the names of software of which no character was masked."""
        return self.whole / self.named

    @property
    def survival(self) -> float:
        return self.kept / self.words

    @property
    def overmask(self) -> float:
        """Share of the neutral characters that were masked."""
        return self.masked / self.neutral

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the recall."""
        z, n, p = 1.96, self.spans, self.recall
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return middle - half, middle + half


def read(name: str) -> list[Labelled]:
    lines = (HELD_OUT / name).read_text(encoding="utf-8").splitlines()
    if name.startswith("strangers"):
        lines = [line.replace("\\n", "\n").replace("\\t", "\t") for line in lines]
    return [parse(line.split("\t", 1)[-1] if "other" in name else line) for line in lines]


def parse(line: str) -> Labelled:
    text, gold, software, at = "", [], [], 0
    for match in _LABEL.finditer(line):
        text += line[at : match.start()]
        start, end = len(text), len(text) + len(match[2])
        if match[1] == "SOFTWARE":
            software.append((start, end))
        else:
            gold.append((start, end, match[1]))
        text += match[2]
        at = match.end()
    return Labelled(text + line[at:], gold, software)


def measure(
    lines: Iterable[Labelled], kind: str, *, lower: bool = False, only: frozenset[str] | None = None
) -> Measured:
    """A span counts when every letter and digit of it is covered; HEALTH is not counted."""
    result = Measured()
    for line in lines:
        text = line.text.lower() if lower else line.text
        spans = redact(text, kind).spans
        covered = {i for s in spans for i in range(s.start, s.end)}
        gold = {i for start, end, _ in line.gold for i in range(start, end)}
        for start, end, label in line.gold:
            if label not in {"HEALTH", "STATE"} and (only is None or label in only):
                letters = [i in covered for i in range(start, end) if text[i].isalnum()]
                result.spans += 1
                result.found += all(letters)
                result.letters += len(letters)
                result.covered += sum(letters)
        for start, end in line.software:
            result.named += 1
            result.whole += covered.isdisjoint(range(start, end))
        result.neutral += len(text) - len(gold)
        result.masked += len(covered - gold)
        for word in _WORD.finditer(text):
            places = set(range(word.start(), word.end()))
            if not places & gold:
                result.words += 1
                result.kept += not places & covered
    return result


_CARD = (
    ("chat", "chat.txt", "chat", False),
    ("chat, lower case", "chat.txt", "chat", True),
    ("German, Spanish, French, Portuguese", "chat_other.txt", "chat", False),
    ("the same, lower case", "chat_other.txt", "chat", True),
    ("logs and exceptions", "logs.txt", "log", False),
    ("strangers' records, as logs", "strangers_records.txt", "log", False),
    ("strangers' records, as messages", "strangers_records.txt", "chat", False),
    ("strangers' chats", "strangers_chat.txt", "chat", False),
    ("strangers' chats, lower case", "strangers_chat.txt", "chat", True),
    ("strangers' logs", "strangers_logs.txt", "log", False),
    ("records A, as logs", "strangers_records_a.txt", "log", False),
    ("records A, as messages", "strangers_records_a.txt", "chat", False),
    ("logs A", "strangers_logs_a.txt", "log", False),
    ("records B, as logs", "strangers_records_b.txt", "log", False),
    ("records B, as messages", "strangers_records_b.txt", "chat", False),
    ("logs B", "strangers_logs_b.txt", "log", False),
    ("records C, as logs", "strangers_records_c.txt", "log", False),
    ("records C, as messages", "strangers_records_c.txt", "chat", False),
    ("logs C", "strangers_logs_c.txt", "log", False),
    ("chats C", "strangers_chat_c.txt", "chat", False),
    ("records D, as logs", "strangers_records_d.txt", "log", False),
    ("records D, as messages", "strangers_records_d.txt", "chat", False),
    ("logs D", "strangers_logs_d.txt", "log", False),
    ("chats D", "strangers_chat_d.txt", "chat", False),
    ("records E, as logs", "strangers_records_e.txt", "log", False),
    ("records E, as messages", "strangers_records_e.txt", "chat", False),
    ("logs E", "strangers_logs_e.txt", "log", False),
    ("records F, as logs", "strangers_records_f.txt", "log", False),
    ("records F, as messages", "strangers_records_f.txt", "chat", False),
    ("logs F", "strangers_logs_f.txt", "log", False),
    ("chats F", "strangers_chat_f.txt", "chat", False),
    ("records G, as logs", "strangers_records_g.txt", "log", False),
    ("records G, as messages", "strangers_records_g.txt", "chat", False),
    ("logs G", "strangers_logs_g.txt", "log", False),
)


def main() -> None:
    for title, file, kind, lower in _CARD:
        m = measure(read(file), kind, lower=lower)
        low, high = m.interval
        print(
            f"| {title} | {m.spans} | {m.recall:.3f} | {low:.3f}-{high:.3f} | {m.survival:.3f} | {m.overmask:.3f} |"
        )


if __name__ == "__main__":
    main()
