# ruff: noqa: E501 - a pattern reads better unbroken
"""Words of a message that name nobody although they look it: capitals, digits, words no dictionary has.

Here: products and acronyms, ordinary words with a capital, amounts and versions, and what of a model's
entities is left without such words. Not here: cues, and everything else that is personal (`chat`).
"""

import re

from privacy.detection.shapes.constants import is_constant
from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import (
    is_given_name,
    is_made_of_known,
    is_program_word,
    is_software_word,
    is_word,
    word_list,
)

_AMOUNT = re.compile(
    r"(?:\d{1,3}|\d{1,3}(?:[.,]\d{1,3})?(?:am|pm|mg|ml|kg|g|cm|km|m|st|nd|rd|th|x|k|%|min|mins|h|hr|hrs|s|ms|d|px|fps|hz|ghz|mhz|kb|mb|gb|tb|kib|mib|gib|tib|kbps|mbps|gbps|lbs?|kcal|cal|w|kw|v)?|"
    r"[2-5]\d\ds?|v?\d{1,3}(?:\.\d{1,5}){1,3}(?:[-.]?(?:rc|alpha|beta|dev|post)[.-]?\d*)?|\d0s|24/7|[a-z]{2,4}-?\d{1,2}|\d{1,2}[a-z]{1,2})\Z",
    re.IGNORECASE,
)
_DAYS = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays
    wi-fi wifi weekday weekdays weekend weekends english german french spanish portuguese italian dutch polish""".split()
)
# Behind these stands where somebody works, lives or comes from.
_PLACING = frozenset(
    """at for from in near to of by with called named via since aka it's its i'm am is was and & aunt auntie aunty uncle nan nana grandma grandpa granny mr mrs ms
    miss dr doctor prof professor brother sister cousin friend mum mom dad coach nurse officer""".split()
)
_FUNCTION = frozenset(
    """a an the and or but of to in on at by for with from as that this it its is are was were be been has have had not no than then so too very i you he she we they me him her us them
    my your his our their who when where why how what which if because while after before until again also just still never always because about into out up down over under off""".split()
)
# `username here`, `password reset`: no value yet.
NO_VALUE = frozenset(
    """here there reset protected manager field page is was for has expired email change changed settings last this next now then again too that work home
    school bed it""".split()
)
"""What stands behind such a word and is no value yet."""
_LISTS = ("given", "english_given", "surnames", "places")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]")
_SPLIT = re.compile(r"[\"{}\[\]<>=;|\n\t\x01:()*#]+|,(?=\S)")
_TOKENS = re.compile(r"[^\W_][\w'\u2019-]*(?:[.][\w-]+)*")
_HEADS = frozenset(
    """school college university academy institute hospital clinic surgery practice hospice pharmacy centre center church chapel mosque synagogue temple council bank
    logistics dental ltd inc llc gmbh company prison foundation hostel shelter hotel airport library salon cafe café pub gym""".split()
)


def is_plain_amount(written: str) -> bool:
    """`250ms`, `3.2GiB`, `v2.4.1`, `150`: how much, not who."""
    return bool(_AMOUNT.match(written)) or (is_constant(written) and not written[0].isdigit())


def is_plain_unknown(written: str, before: str) -> bool:
    """A word that no dictionary has but programs, products or derivations do."""
    lower = written.lower()
    if _is_of_software(written, lower):
        return before not in {"at", "for"}
    if written[0].isupper() and before in _PLACING:
        return False
    parts = [p for p in re.split(r"[-._]", lower) if p]
    return all(_is_in_dictionaries(p) and not is_name(p) for p in parts)


def _is_in_dictionaries(lower: str) -> bool:
    # Not every name of software: some towns are among them, and messages are about towns.
    is_known = is_word(lower) or is_program_word(lower) or is_made_of_known(lower)
    return is_known or lower in word_list("programs")


def is_plain_capital(
    written: str, before: str, after: str, next_sign: str, *, is_placed: bool = False
) -> bool:
    """An ordinary word that a capital inside a sentence does not make a name.

    `is_placed` says that a preposition stands in front of the article before it: `at the Priory`.
    """
    lower = written.lower().rstrip("'\u2019-")
    if lower in _DAYS or (_is_of_software(written, lower) and before not in {"at", "for"}):
        return True
    if before in _PLACING:
        return False
    if _is_of_software(written, lower):
        return True
    if is_name(lower):
        return is_program_word(lower) and not is_given_name(lower)
    if before == "the":
        return after not in _FUNCTION and next_sign.islower() and not is_placed
    return True


def is_name(lower: str) -> bool:
    """Whether any list holds a lower-case word as a name of somebody or of a place."""
    return lower in _SHORT_NAMES or any(lower in word_list(name) for name in _LISTS)


_SHORT_NAMES = frozenset("jo mo ty vi ed bo lu li na bao".split())


def _is_of_software(written: str, lower: str) -> bool:
    """`GitHub`, `SQL`, `Python`, `PR`: products, parts of programs and short acronyms."""
    if written.isupper() and len(written) < 6:
        return is_program_word(lower) or is_software_word(lower) or not is_name(lower)
    if is_name(lower) and lower not in word_list("programs"):
        return False
    return lower in word_list("programs") or (
        (written.isupper() or _CAMEL.search(written) is not None) and is_constant(written)
    )


def is_plain_span(text: str, start: int, end: int) -> bool:
    """Whether every word of a stretch is plain where it stands, and none heads an organisation."""
    tokens = list(_TOKENS.finditer(text, start, end))
    if any(t.group().lower() in _HEADS for t in tokens) or "&" in text[start:end]:
        return False
    return all(_is_plain_there(text, t) for t in tokens)


def _is_plain_there(text: str, token: re.Match[str]) -> bool:
    written, lower = token.group(), token.group().lower()
    if any(c.isdigit() for c in written):
        return is_plain_amount(written)
    if lower in _FUNCTION or lower in _DAYS:
        return True
    if written.islower():
        return is_word(lower) and not is_name(lower)
    before = _BEFORE.search(text, max(0, token.start() - 30), token.start())
    after = _AFTER.match(text, token.end())
    following = after["word"] if after else ""
    is_word_known = is_word(lower) or _is_of_software(written, lower)
    return is_word_known and is_plain_capital(
        written, before["word"].lower() if before else "", following.lower(), following[:1],
        is_placed=before is not None and _PLACED.search(text, 0, before.start()) is not None,
    )  # fmt: skip


_BEFORE = re.compile(r"(?P<word>[\w'\u2019-]+)[ ]\Z")
_PLACED = re.compile(r"(?i:\b(?:at|in|from|near|to|of|by)\s)\Z")
_AFTER = re.compile(r"[ ](?P<word>[\w'\u2019-]+)")


def without_plain(text: str, finding: Finding) -> list[Finding]:
    """A model's entity in pieces without structure, and without ordinary words in lower case around them."""
    pieces, at = [], finding.start
    for sign in [*_SPLIT.finditer(text, finding.start, finding.end), None]:
        end = sign.start() if sign else finding.end
        piece = _trimmed(text, at, end, finding.type)
        if piece is not None:
            pieces.append(piece)
        at = sign.end() if sign else end
    return pieces


def _trimmed(text: str, start: int, end: int, kind: str) -> Finding | None:
    tokens = list(_TOKENS.finditer(text, start, end))
    if not tokens or (kind in _CHECKED and not _CHECKED[kind](text, tokens)):
        return None
    if kind in _CHECKED or _is_somewhere(text, tokens):
        return Finding(tokens[0].start(), tokens[-1].end(), kind)
    if all(t.group().islower() for t in tokens):
        # Who writes with capitals elsewhere would give one to what is called something.
        if kind in _CALLED and text != text.lower() and all(_is_ordinary(t[0]) for t in tokens):
            return None
        if core := _core(tokens, kind):
            return core
    tokens = _without_ordinary_ends(tokens)
    if not tokens:
        return None
    start, end = tokens[0].start(), tokens[-1].end()
    is_full_name = kind == "name" and len(tokens) > 1 and all(t[0][0].isupper() for t in tokens)
    return (
        Finding(start, end, kind) if is_full_name or not is_plain_span(text, start, end) else None
    )


_CALLED = frozenset({"organisation", "location"})


def _without_ordinary_ends(tokens: list[re.Match[str]]) -> list[re.Match[str]]:
    if any(t.group().lower() in _HEADS for t in tokens):
        return tokens
    while tokens and _is_ordinary(tokens[0].group()):
        tokens = tokens[1:]
    while tokens and _is_ordinary(tokens[-1].group()):
        tokens = tokens[:-1]
    return tokens


def _is_age(text: str, tokens: list[re.Match[str]]) -> bool:
    return any(_tells_age(t.group().lower()) for t in tokens) and not _UNIT.match(
        text, tokens[-1].end()
    )


def _is_date(text: str, tokens: list[re.Match[str]]) -> bool:
    return _DATE.search(text, tokens[0].start(), tokens[-1].end()) is not None


def _is_address(text: str, tokens: list[re.Match[str]]) -> bool:
    """Not `3:30pm on Zoom`."""
    return _has_road(tokens) or not is_plain_span(text, tokens[0].start(), tokens[-1].end())


_CHECKED = {"age": _is_age, "date": _is_date, "address": _is_address}


def _has_road(tokens: list[re.Match[str]]) -> bool:
    words = [t.group() for t in tokens]
    return any(w.isalpha() and w.islower() and w not in _FUNCTION for w in words)


def _core(tokens: list[re.Match[str]], kind: str) -> Finding | None:
    """`silver lodge` of `silver lodge at night`: two ordinary words and more that nobody uses daily."""
    while tokens and _is_everyday(tokens[0].group().lower()):
        tokens = tokens[1:]
    while tokens and _is_everyday(tokens[-1].group().lower()):
        tokens = tokens[:-1]
    if len(tokens) < 2 or any(_is_everyday(t.group().lower()) for t in tokens):
        return None
    return Finding(tokens[0].start(), tokens[-1].end(), kind)


def _is_somewhere(text: str, tokens: list[re.Match[str]]) -> bool:
    """`at silver lodge`: written small, behind a preposition, and none of the places that everybody has."""
    if not tokens or not tokens[0].group().isalpha() or not tokens[0].group().islower():
        return False
    placed = _PLACED_AT.search(text, 0, tokens[0].start())
    words = [t.group().lower() for t in tokens]
    return placed is not None and not all(_is_everyday(w) for w in words)


def _is_everyday(lower: str) -> bool:
    return lower in _EVERYBODYS or lower in _FUNCTION or lower in _DAYS


_PLACED_AT = re.compile(r"(?i:\b(?:at|in|from|near|since|the|of)\s)\Z")
# Where everybody is at times.
_EVERYBODYS = frozenset(
    """front bed pain love trouble fact class public general work home school life time day days night morning afternoon evening week weeks month months year years town city car house
    room bathroom kitchen church court hospital therapy group meeting sleep tears order charge control least last first once lunch dinner breakfast noon midnight end beginning start
    university college office shop store park garden forest river castle tower gate door bridge cave village mirror mirrors glass sea lake mountain garden boat ship beach
    world past future present moment mood mind head chest body heart eyes hands shower train bus queue line middle corner dark light rain snow sun water air bottom top side back way
    crowd family friends parents people kids children stage place places point all it that this war prison jail summer winter spring autumn shadow shadows path left right canal""".split()
)
_UNIT = re.compile(
    r"\s?(?:seconds?|minutes?|hours?|days?|weeks?|months?|times?|percent|%|euros?|dollars?|items?|pages?|out of|/\d)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?i:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|spring|summer|autumn|winter|christmas|easter|eid|diwali|ramadan|halloween|birthday|"
    r"ene|abr|ago|dic|févr|avr|août|fev|set|out)|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\b\d{4}-\d\d-\d\d\b|\b(?:19|20)\d\d\b|\b\d{1,2}(?:st|nd|rd|th)\b"
)
_NUMBERS = frozenset(
    """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty
    ninety hundred zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dos tres cuatro cinco seis siete ocho nueve diez deux trois quatre cinq sept huit neuf dix dois três quatro""".split()
)


def _tells_age(word: str) -> bool:
    return any(c.isdigit() for c in word) or any(
        p in _NUMBERS for p in re.split(r"[-\u2019']", word)
    )


def _is_ordinary(written: str) -> bool:
    """A word in lower case that is nobody's name, or `I`."""
    lower = written.lower()
    if written in {"I", "I'm", "I\u2019m"} or lower in _FUNCTION:
        return written.islower() or written.startswith("I")
    return written.islower() and is_word(lower) and not is_name(lower)
