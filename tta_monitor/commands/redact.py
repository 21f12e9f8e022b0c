"""`privacy redact`: JSON lines in, redacted JSON lines out, through the active detectors.

Here: reading, writing and line errors. Not here: what a finding is (`privacy.detection`). An
error names the line and never its text.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import typer

from tta_monitor.console.context import settings
from tta_monitor.console.groups import group

if TYPE_CHECKING:
    from privacy.detection.redact import Redacted

commands = group()


@commands.command("redact")
def redact_lines() -> None:
    """Redact JSON lines from standard input: {"text": …, "kind": "chat" or "log"}.

    Writes {"redacted": …, "spans": [{"start", "end", "type"}]} per line; offsets are code points.

    Example: echo '{"text": "I met Siobhan", "kind": "chat"}' | ./tta.sh monitor privacy redact
    """
    from privacy.detection import identity

    identity.set_floor(settings().gate.canary_floor)
    is_whole = identity.is_trusted()
    if not is_whole:
        sys.stderr.write(json.dumps({"error": _DAMAGED}) + "\n")
    bad_lines = 0
    for number, answer in _answers(sys.stdin.buffer):
        if isinstance(answer, str):
            bad_lines += 1
            sys.stderr.write(json.dumps({"line": number, "error": answer}) + "\n")
        else:
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
            sys.stdout.flush()
    raise typer.Exit(1 if bad_lines or not is_whole else 0)


_DAMAGED = (
    "the detector misses planted words, so texts are dropped whole: install the package again"
)


def _answers(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _answer(line)


def _answer(line: bytes) -> dict[str, Any] | str:
    """The redacted line, or what is wrong with it and the fix."""
    from privacy.detection import identity
    from privacy.detection.redact import KINDS, redact

    try:
        asked = json.loads(line)
    except ValueError:  # bytes that are no UTF-8 included
        return 'the line is not JSON: write {"text": "…", "kind": "chat"}'
    if not isinstance(asked, dict) or not isinstance(asked.get("text"), str):
        return 'the line has no text: write a string under "text"'
    if asked.get("kind") not in KINDS:
        return f'the kind is not known: write one of {", ".join(KINDS)} under "kind"'
    text = asked["text"]
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        return "the text holds half a surrogate pair: send whole code points"
    found = redact(text, asked["kind"]) if identity.is_trusted() else _whole(text)
    spans = [{"start": f.start, "end": f.end, "type": f.type} for f in found.spans]
    return {"redacted": found.text, "spans": spans}


def _whole(text: str) -> "Redacted":
    """The text as one finding."""
    from privacy.detection.redact import Redacted
    from privacy.detection.vocabulary.findings import Finding
    from privacy.gate.treatments import DROPPED

    return Redacted(DROPPED, [Finding(0, len(text), "dropped")]) if text else Redacted("", [])
