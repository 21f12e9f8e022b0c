"""Sentences of our own processes: skeletons in which measurements stay.

Here: what our code and Dagster say of themselves: durations, counts, process ids, ports. Not here: messages
of libraries, which may quote a sender (`words`). An operator who reads `<number> rows in <duration>` learns
nothing, and nobody is told by how long a step took; a long number may be an id or a telephone's, and goes
unless what it counts stands behind it.
"""

import re

from privacy.detection.cues import cue_findings
from privacy.detection.shapes.shape_formats import format_findings
from privacy.detection.vocabulary.findings import Finding, render

_AMOUNT, _LONG_AMOUNT = re.compile(r"\d{1,6}(?:\.\d{1,3})?\Z"), re.compile(r"\d{1,12}\Z")
_CLOCKED = re.compile(r"(?:\d{1,3}h)?\d{1,2}m(?:\d{1,2}(?:\.\d+)?s)?\Z")
"""A duration as Dagster writes it: `1m12s`."""
_COUNTED = re.compile(
    r" (?:rows?|items?|files?|bytes|points|spans|logs|batches|texts|keys|partitions|steps?|runs?|checks?|"
    r"bodies|targets|rules|samples|minutes)\b"
)
_BESIDE = 2
"""Digits as near as this are parts of one number: a date, a telephone's, a card's, a place's."""


def own_sentence(text: str) -> str:
    """The skeleton of what one of our processes says, measurements as they are."""
    found = cue_findings(text, format_findings(text))
    return render(text, [one for one in found if not is_measurement(text, one)])


def is_measurement(text: str, finding: Finding) -> bool:
    """Whether what was found is a duration or an amount that stands by itself."""
    said = text[finding.start : finding.end]
    if finding.type == "duration" or (finding.type == "id" and _CLOCKED.match(said)):
        return _is_alone(text, finding)
    if finding.type not in {"number", "digits"}:
        return False
    is_counted = _LONG_AMOUNT.match(said) and _COUNTED.match(text, finding.end)
    return bool(is_counted or _AMOUNT.match(said)) and _is_alone(text, finding)


def _is_alone(text: str, finding: Finding) -> bool:
    around = text[max(finding.start - _BESIDE, 0) : finding.start]
    around += text[finding.end : finding.end + _BESIDE]
    return not any(c.isdigit() or c in "+@#" for c in around)
