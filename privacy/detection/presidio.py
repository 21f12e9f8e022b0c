"""Presidio on our own terms: pattern recognisers and our own model, no download, no network.

Here: masking what the engines find in a text. Not here: building them (`detection/engines`), the
fast exact masks that come first (`skeleton`). The patterns look at what those left over, and only
when anything is left that one could match, because that costs about 0.5 ms a text. Names are looked
for in messages alone: in logs a word that nobody knows is masked anyway.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.model_labels import TYPES

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

_LEFTOVER = re.compile(r"@|\d{5,}|\d[ -]\d")
_MIN_SCORE = 0.3


def mask_leftovers(text: str) -> str:
    """Replace every Presidio finding in an already skeletonised text by `<type>`."""
    if not _LEFTOVER.search(text):
        return text
    for finding in _findings(text):
        text = f"{text[: finding.start]}<{finding.entity_type.lower()}>{text[finding.end :]}"
    return text


def presidio_findings(text: str) -> list[Finding]:
    """What Presidio's checksummed recognisers see in a text as it was written."""
    if not _LEFTOVER.search(text):
        return []
    return [Finding(f.start, f.end, f.entity_type.lower()) for f in reversed(_findings(text))]


def entity_findings(text: str) -> list[Finding]:
    """Names of people, places and organisations that the model sees in a message."""
    found = _name_engine().analyze(text=text, language="en", entities=list(TYPES))
    return [Finding(f.start, f.end, TYPES[f.entity_type]) for f in found]


def warm_up() -> None:
    """Load now what Presidio's recognisers load at their first text: patterns, numbering plans."""
    _findings(
        "card 4111-1111-1111-1112, call 020 7946 0958 or +1 202 555 0143, write to a@example.org"
    )


def _findings(text: str) -> list:
    """Findings from the last to the first, overlaps removed in favour of the longer one."""
    found = _pattern_engine().analyze(text=text, language="en", score_threshold=_MIN_SCORE)
    kept: list = []
    for finding in sorted(found, key=lambda f: f.start - f.end):
        if all(finding.end <= k.start or finding.start >= k.end for k in kept):
            kept.append(finding)
    return sorted(kept, key=lambda f: -f.start)


@cache
def _pattern_engine() -> "AnalyzerEngine":
    from privacy.detection.engines import pattern_engine  # noqa: PLC0415 - seconds, not needed by all

    return pattern_engine()


@cache
def _name_engine() -> "AnalyzerEngine":
    from privacy.detection.engines import name_engine  # noqa: PLC0415

    return name_engine()
