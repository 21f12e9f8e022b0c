"""The recall that the detector's card states: `detection/MODEL_CARD.md`, read for those who must sign it.

Here: reading the card's table of the whole stack. Not here: measuring (`detection/train`, the tests of
held-out texts) and the canaries of this process (`detection/identity`).
"""

import re
from dataclasses import dataclass
from pathlib import Path

CARD = Path(__file__).with_name("MODEL_CARD.md")
_HEADING = "## The whole stack"
_ROW = re.compile(
    r"\| (?P<text>[^|]+?) \| (?P<spans>[\d,]+) \| (?P<recall>[01]\.\d+) "
    r"\| (?P<low>[01]\.\d+)-(?P<high>[01]\.\d+) \|"
)


@dataclass(frozen=True)
class HeldOut:
    """Recall on one kind of held-out text, as shares, with its 95 % interval."""

    text: str
    spans: int
    recall: float
    low: float
    high: float


def held_out(card: Path = CARD) -> tuple[HeldOut, ...]:
    """The card's lines about the whole stack; empty when nothing was measured."""
    if not card.exists():
        return ()
    section = card.read_text(encoding="utf-8").partition(_HEADING)[2].partition("\n## ")[0]
    return tuple(
        HeldOut(
            m["text"],
            int(m["spans"].replace(",", "")),
            float(m["recall"]),
            float(m["low"]),
            float(m["high"]),
        )
        for m in _ROW.finditer(section)
    )
