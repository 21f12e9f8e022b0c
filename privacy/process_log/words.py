"""What words of a log message stay: those of programs and of the language, none that a sender sent.

Here: the gate for messages of libraries, for their variable parts, and for what an error says. Not
here: when something is logged and how often (`log`, `repeated_messages`). The word lists load at the first
message that needs them; no model does, so that a small process stays small.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from privacy.detection.cues import cue_findings
from privacy.detection.shapes.shape_formats import format_findings
from privacy.detection.texts.texts_of_logs import log_findings
from privacy.detection.vocabulary.findings import Finding, render
from privacy.detection.vocabulary.lexicon import is_given_name, is_program_word, template_words
from privacy.process_log.sentences import is_measurement

_MAX_READ, _MAX_SAID = 4_000, 600
# What remains when no pattern matched may still be an address or a number of somebody's.
_LEFTOVER = re.compile(r"[^\s<>]*@[^\s<>]*|\d{7,}|\d(?:[ -]\d+){2,}")
_WORD = re.compile(r"<[a-z_]{1,20}>|[^\W\d_]+")
_SUBWORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SHORT_NUMBER = re.compile(r"\d{1,4}\Z")
_MOST = re.compile(r"Max (?:age|attempts|connections|depth|length|retries|size)\b")
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+# 0]*\d*(?:\.\d+)?[a-zA-Z]")
# The language's small words, what errors of libraries are made of, and what our own things and those of
# our libraries are called.
_MORE_WORDS = frozenset(
    """being its these those may would do than then when because after under more less many few still
    again never always each both other same first last yet nothing wrong there here up down so until
    during into such own also you your did mean instead possible
    directory property enclosed double quotes quote line column char character catalog exist exists
    expecting expected unexpected delimiter extra trailing comma refused reset peer broken pipe
    temporarily unavailable denied space left device interrupted permitted busy locked malformed disk
    image readonly unique binder parser syntax near conversion cast overflow range divide zero
    positional keyword required unhashable subscriptable iterable callable codec decode encode bytes
    position ordinal truncated magic footer corrupt mismatch newer older ambiguous candidate bindings
    referenced similar exceeded maximum retries reason service requests returned skipping dequeueing
    retention catch drain spool lake mart marts publish published warehouse pass
    span spans metric metrics host hosts pool caused exported exporting receiver collector collectors
    statement partition columns worker workers lock folder version run runs step steps job jobs schedule
    sensor tick ticks location certificate verify verification protocol body find root parent parents
    instead please install use""".split()
)


def gated(text: str) -> str:
    """A message as its template: what varies is typed, a word that nobody knows is masked."""
    return _gated(text[:_MAX_READ])


def strictly_gated(text: str) -> str:
    """Words of programs alone: for what was put into a message, which may be a sender's own words."""
    return _WORD.sub(lambda word: word[0] if _stays(word) else "<word>", gated(text))


def message_of(template: Any, arguments: Any) -> str:
    """What a library's record says: its template with each argument gated by itself."""
    text = str(template)
    if not arguments:
        return gated(text)
    constants = gated(text)
    try:
        if len(_PLACEHOLDER.findall(constants)) == len(_PLACEHOLDER.findall(text)):
            return constants % _gated_arguments(arguments)
        return gated(text % _gated_arguments(arguments))
    except (TypeError, ValueError, KeyError):
        return constants


def error_words(error: BaseException) -> str:
    """The type of an error and what it says in words of programs."""
    kind = type(error).__name__
    try:
        said = strictly_gated(str(error))
    except Exception:  # noqa: BLE001 - an error that cannot be told is told by its type
        return kind
    return f"{kind}: {said}" if said else kind


def _gated_arguments(arguments: Any) -> Any:
    if isinstance(arguments, Mapping):
        return {name: _argument(value) for name, value in arguments.items()}
    return tuple(_argument(value) for value in arguments)


def _argument(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        # A longer number may be an id or a telephone's: its size is told.
        return value if not abs(value) >= 1e7 else type(value)(float(f"{value:.2g}"))
    if isinstance(value, BaseException):
        return error_words(value)
    return strictly_gated(str(value))


@lru_cache(maxsize=256)
def _gated(text: str) -> str:
    line = " ".join(text.split())
    found = log_findings(line, cue_findings(line, format_findings(line)))
    kept = [finding for finding in found if not _is_plain(line, finding)]
    return _LEFTOVER.sub("<value>", render(line, kept))[:_MAX_SAID].strip()


def _is_plain(line: str, finding: Finding) -> bool:
    """A count, a code, a port, this machine: what operators look for and nobody is told by."""
    text = line[finding.start : finding.end]
    around = line[max(finding.start - 2, 0) : finding.start] + line[finding.end : finding.end + 2]
    if finding.type == "ip":
        return text.startswith("127.")
    if finding.type == "duration":
        return is_measurement(line, finding)
    return bool(_SHORT_NUMBER.match(text)) and not any(c.isdigit() for c in around)


def _stays(word: re.Match[str]) -> bool:
    if _MOST.match(word.string, word.start()):
        return True
    # `Will` in the middle of a sentence is somebody, `will` is grammar.
    is_named = word.start() > 0 and word[0].istitle() and is_given_name(word[0].lower())
    return not is_named and _is_of_programs(word[0])


@lru_cache(maxsize=4096)
def _is_of_programs(word: str) -> bool:
    if word.startswith("<") or len(word) < 2:
        return True
    pieces = _SUBWORD.findall(word) if word.isascii() else [word]
    return all(
        piece in _MORE_WORDS
        or piece in template_words()
        or is_program_word(piece)
        or (piece.endswith("s") and is_program_word(piece[:-1]))
        for piece in (p.lower() for p in pieces)
    )
