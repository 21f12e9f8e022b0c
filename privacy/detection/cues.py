"""Free text becomes a skeleton: the constants of a template stay, variable parts become types.

Here: log bodies, exception and status messages, span names, stack traces: words after a cue such as
`username=` or `player` are masked unless they are words of a log template. Not here: identifiers
with a format (`detection/formats`), paths and statements (`treatments`), and the Presidio stack that
looks at what is left (`detect`).
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from privacy.detection.shapes.shape_formats import format_findings
from privacy.detection.vocabulary.findings import Finding, blank, render, union
from privacy.detection.vocabulary.lexicon import (
    is_given_name,
    is_program_word,
    is_word,
    template_words,
    word_list,
)

_WORD = r"[^\W\d_](?:[\w.\u2019-]|'(?=\w))*"
_CUE_WORDS = (
    r"user[ _-]?name|user[ _-]?id|user|player[ _-]?name|player|patient|"
    r"client name|therapist|"
    r"login|nick(?:name)?|screen[ _-]?name|handle|gamer[ _-]?tag|account|member|customer|author|owner|"
    r"contact|sender|recipient|"
    r"first[ _-]?name|last[ _-]?name|full[ _-]?name|display[ _-]?name|surname|e-?mail|mail|phone|"
    r"tel|address|street|city|name|profile for|logged in as|signed in as|on behalf of|welcome|"
    r"hello|dear"
)
_SMALL_CUE = re.compile(rf"(?<![\w/}}-])(?:{_CUE_WORDS})\b")
_CUE = re.compile(
    rf"(?i:(?<![\w/}}-])({_CUE_WORDS})\b)"
    r"(?P<join>[\"']?\s*(?:[:=]|\bis\b|\bnamed\b)[ \t]*[\"'(]?|[ ]+[\"'(]?)"
    rf"(?P<word>{_WORD}(?:[ ](?=[A-Z])(?!\w+[:=]\S){_WORD}){{0,2}})"
)
_STRONG_JOIN = re.compile(r"[:=\"'(]|\bnamed\b")
# After a cue and a blank these are grammar or template words, not names.
_TEMPLATE_WORDS = template_words()


def skeletonise(text: str) -> str:
    """The skeleton of one text; idempotent, no identifier that has a format survives."""
    if not _may_vary(text):
        return text
    return render(text, cue_findings(text, format_findings(text)))


def cue_findings(text: str, formats: list[Finding]) -> list[Finding]:
    """The formats and what follows a cue such as `username=` or `player`, in order."""
    # The types stand in the text as they will later, so that a skeleton's skeleton is the same.
    found = _after_cues(blank(text, formats))
    return union([*formats, *found]) if found else formats


@lru_cache(maxsize=2_048)
def _after_cues(open_text: str) -> list[Finding]:
    """What follows a cue in a line without its formats; lines of one template share it."""
    places = _cues(open_text)
    return [finding for match in places if (finding := _find_after_cue(match)) is not None]


def _cues(text: str) -> Iterator[re.Match[str]]:
    """All of `_CUE` in the text, looked for in small letters first: that costs a third."""
    lower = text.lower()
    if len(lower) != len(text):
        yield from _CUE.finditer(text)
        return
    at = 0
    for sign in _SMALL_CUE.finditer(lower):
        if sign.start() >= at and (match := _CUE.match(text, sign.start())):
            yield match
            at = match.end()


def _may_vary(text: str) -> bool:
    """Cheap proof that nothing can match: no digit, no sign of a format, no cue."""
    return bool(_TRIGGER.search(text))


_TRIGGER = re.compile(
    r"[\d@%/\\~]|eyJ|[0-9a-fA-F]{2}:[0-9a-fA-F]{2}:|"
    r"(?i:bearer|basic|token|key|secret|passw|pwd|cookie|authoriz| at |\(at|\[at|\{at|"
    r"sk[-_]|pk[-_]|gh[pos]_|xox|akia|aiza|glpat|hf_)|::|"
    + _CUE.pattern.replace("(?P<join>", "(?:").replace("(?P<word>", "(?:")
)


def _find_after_cue(match: re.Match[str]) -> Finding | None:
    join, word = match.group("join"), match.group("word")
    first = word.partition(" ")[0].lower()
    if not _is_value(join) and (word.lower() in _TEMPLATE_WORDS or first in _TEMPLATE_WORDS):
        return None
    if match.string[match.end() :][:1] == "=":
        return None  # the key of what comes next
    if match.group(1).lower() in {"name", "address"} and _OF_A_THING.search(
        match.string, max(match.start() - 12, 0), match.start()
    ):
        return None  # what nobody knows in it is masked all the same
    if first in {"none", "null", "true", "false", "unknown"} or word in _OF_STATEMENTS:
        return None
    if not _is_value(join) and all(_is_grammar(w) for w in word.split()):
        return None
    return Finding(match.start("word"), match.end("word"), "name")


def _is_grammar(word: str) -> bool:
    """A word of programs, or a verb or abstract noun that is nobody's name: `user clicked`."""
    lower = word.lower().rstrip(".")
    if is_given_name(lower) or (word[0].isupper() and lower in word_list("surnames")):
        return lower in word_list("operations")
    parts = re.split(r"[._-]+", lower)
    return all(is_program_word(p) for p in parts) or (
        len(parts) == 1 and bool(_ENDING.search(lower)) and is_word(lower)
    )


# `host name "db"`, `memory address`: nobody's.
_OF_A_THING = re.compile(
    r"(?i:\b(?:host|file|domain|table|column|class|method|field|path|image|service|topic|queue|bucket|"
    r"database|db|module|package|import|type|key|node|pod|server|memory|bind|listen|function|event|metric|tag|"
    r"branch|device|volume|cluster|index|schema)[ _-])\Z"
)
_OF_STATEMENTS = frozenset(
    "LIKE ILIKE IN IS NOT BETWEEN AND OR FROM AS ASC DESC VALUES SET".split()
)
_ENDING = re.compile(r"(?:ed|ing|[st]ion|ment|able|ly|ness|ity|ance|ence|ous)\Z")


def _is_value(join: str) -> bool:
    """`username=will` names somebody; `user will` may be grammar."""
    return bool(_STRONG_JOIN.search(join))
