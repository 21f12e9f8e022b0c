# ruff: noqa: E501 - a pattern reads better unbroken
"""Words of a log line that nobody knows: they may be somebody, unless the words they are joined to say otherwise.

Here: which unknown word stays because it is part of what software is called where it stands. Not here: words that are
software's wherever they stand (`vocabulary/lexicon`, `shapes/constants`), values of keys about people (`logs`).
"""

import re

from privacy.detection.shapes.compounds import is_of_a_component
from privacy.detection.shapes.constants import CONSTANTS, MODEL_NAMES, is_constant
from privacy.detection.shapes.packages import may_publish, published_parts
from privacy.detection.vocabulary.findings import MARKS, Finding, union
from privacy.detection.vocabulary.lexicon import (
    is_ambiguous_software,
    is_given_name,
    is_in_names,
    is_joined,
    is_program_word,
    is_software_word,
    word_list,
)

# A marker of a skeleton, or a word as programs and people write it.
_TOKEN = re.compile(rf"<[a-z_]{{1,20}}>|[^\W\d_][\w{MARKS}]*(?:['\u2019][\w{MARKS}]+)*")


def unknown_findings(text: str) -> list[Finding]:
    """Words that neither programs nor the language know, with what is joined to them."""
    found: list[Finding] = []
    packages: list[tuple[int, int]] | None = None
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token[0] == "<" or is_constant(token) or _MODEL.match(text, match.start()):
            continue
        lower = token.lower()
        if is_ambiguous_software(lower) and _is_in_a_chain(text, match):
            continue
        if lower in word_list("programs") and _is_part_of_a_package(text, match):
            continue
        if is_of_a_component(text, match.start(), match.end()) or _is_dotted_constant(text, match):
            continue
        if token.isupper() and _is_acronym(text, match):
            continue
        if token.islower() and is_joined(lower) and not _TOLD_OF.search(text, 0, match.start()):
            continue
        if packages is None:
            packages = published_parts(text) if may_publish(text) else []
        if any(a <= match.start() < b for a, b in packages):
            continue
        found.append(Finding(*_whole(text, match.start(), match.end()), "word"))
    return union(found)


# Behind these words stands who it is; also at the end of a line's first field: `wolf: …`.
_TOLD_OF = re.compile(
    r"(?i:(?:\b(?:users?|players?|patients?|clients?|members?|customers?|accounts?|logins?|handle|nick|by|from|for|to|of|with|and|hello|dear|welcome|at)|^|[:,@>|/\]])\W{0,3})\Z"
)


def _is_acronym(text: str, token: re.Match[str]) -> bool:
    """`WAL`, `IKE`: short, nobody's name, and beside it no other word with a capital."""
    written = token.group()
    if not (written.isalpha() and written.isascii() and 2 < len(written) < _LONGEST_ACRONYM):
        return False
    if is_in_names(written.lower()) or _TOLD_OF.search(text, 0, token.start()):
        return False
    before = _CAPITAL_BEFORE.search(text, max(0, token.start() - 30), token.start())
    return before is None and _CAPITAL_AFTER.match(text, token.end()) is None


_LONGEST_ACRONYM = 6
_CAPITAL_BEFORE = re.compile(r"(?:[^\W\d_a-z][\w'\u2019]*|[\x01]|[.^/\\'-])[ ,]{0,2}\Z")
_CAPITAL_AFTER = re.compile(r"[ ,]{0,2}(?:[^\W\d_a-z]|[\x01^/\\'-])|\.\w")


def _is_dotted_constant(text: str, token: re.Match[str]) -> bool:
    """`m6i.2xlarge`: a point inside."""
    if "." not in text[token.start() - 8 if token.start() > 8 else 0 : token.end() + 1]:
        return False
    before = _CHUNK_BEFORE.search(text, max(0, token.start() - 12), token.start())
    dotted = _DOTTED.match(text, before.start() if before else token.start())
    return dotted is not None and CONSTANTS.match(dotted[0]) is not None


_CHUNK_BEFORE = re.compile(r"(?<![\w.])[\w.]+\Z")
_DOTTED = re.compile(r"\w{1,12}\.\w{1,12}(?![\w.])")


def _is_part_of_a_package(text: str, token: re.Match[str]) -> bool:
    """`graphql-ruby`, `sentry-ruby`, not `user-ruby`: a product behind or in front of another."""
    before = _HYPHEN_BEFORE.search(text, max(0, token.start() - 30), token.start())
    after = _HYPHEN_AFTER.match(text, token.end())
    pieces = [m["piece"].lower() for m in (before, after) if m is not None]
    return any(p not in _PEOPLE and (is_program_word(p) or _is_of_software(p)) for p in pieces)


def _is_of_software(word: str) -> bool:
    return word in word_list("programs") or is_software_word(word)


_HYPHEN_BEFORE = re.compile(r"(?<!\w)(?P<piece>[^\W\d_]{3,})[-_]\Z")
_HYPHEN_AFTER = re.compile(r"[-_](?P<piece>[^\W\d_]{3,})(?!\w)")
_PEOPLE = frozenset(
    """user username login uid sub player patient client member author owner therapist company organisation organization
    location dob birth birthday birthdate age phone mobile email to from recipient code cookie session sid name first last full
    display nick nickname school employer city town country address clinic hospital practice surgery college university street""".split()
)


def _is_of_programs(word: str) -> bool:
    return (is_program_word(word) or is_software_word(word)) and not is_given_name(word)


def _is_in_a_chain(text: str, token: re.Match[str]) -> bool:
    """`oslo-utils`, `sun/nio`, `loki: …` at the start of a line: joined to a word of programs, or a program's."""
    before = _CHAIN_BEFORE.search(text, max(0, token.start() - 30), token.start())
    after = _CHAIN_AFTER.match(text, token.end())
    if token.start() == 0 and text[token.end() : token.end() + 1] in {":", "["}:
        return True
    return any(m is not None and _is_of_programs(m["piece"].lower()) for m in (before, after))


_CHAIN_BEFORE = re.compile(r"(?P<piece>[^\W\d_]{3,})[./:_-]\Z")
_CHAIN_AFTER = re.compile(r"[./:_-](?P<piece>[^\W\d_]{3,})")
_MODEL = re.compile(rf"(?i:{MODEL_NAMES})")


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """`priya.k`, `j.okafor`: what is joined to an unknown word and is no word of programs belongs to it."""
    while before := _JOINED_BEFORE.search(text, max(start - 40, 0), start):
        if is_program_word(before["piece"].lower()):
            break
        start = before.start("piece")
    while after := _JOINED_AFTER.match(text, end):
        if is_program_word(after["piece"].lower()):
            break
        end = after.end("piece")
    return start, end


_JOINED_BEFORE = re.compile(r"(?<![\w.-])(?P<piece>[^\W_]+)[.-]\Z")
_JOINED_AFTER = re.compile(r"[.-](?P<piece>[^\W_]+)(?![\w-]|\.\w|[(=])")
