# ruff: noqa: E501 - a pattern reads better unbroken
"""What software is called by where it is published: Maven coordinates, Go paths, images, packages in a scope.

Here: where such a name stands in a text, and which parts of it may stay although nobody knows them. A part
that is made like a person's name or login goes all the same. Not here: words that are software's wherever
they stand (`lexicon`), versions and devices (`constants`).
"""

import re
from collections.abc import Iterator

from privacy.detection.shapes.constants import is_of_a_package
from privacy.detection.vocabulary.lexicon import (
    is_ambiguous_software,
    is_given_name,
    is_program_word,
    is_software_word,
    word_list,
)

# Formats may be blanked: \x01.
_MAVEN = (
    r"(?:com|org|io|net|dev|ai|edu|ch|de|fr|me|uk|eu|cn|us|app|cloud|jakarta|androidx|javax?|jdk|sun|software|kotlinx)"
    r"\.(?:[a-z][\w\x01-]*[.:$])+[\w$\x01-]+(?::v?[\d\x01][\w.+\x01-]*)?"
)
_HOSTS_OF_CODE = r"(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)/[\w.-]+"
_HOSTS_OF_MODULES = (
    r"(?:gopkg\.in|golang\.org/x|(?:[a-z]+\.)?golang\.org|go\.[a-z]+\.(?:org|io|com|dev)|(?:[a-z-]+\.)?k8s\.io|cloud\.google\.com/go"
    # `gorm.io/gorm`, `entgo.io/ent`: the module is called as its site.
    r"|(?P<site>[a-z]{3,})[a-z]{0,4}\.(?:io|dev|org|sh|in)(?=/(?P=site)))"
)
_GO = rf"(?:{_HOSTS_OF_CODE}|{_HOSTS_OF_MODULES})(?:/[\w.~\x01-]+){{1,6}}"
_TAG = r"(?:v?[\d\x01]+\.[\w.\x01-]+|v?[\d\x01]+[-.]?[a-z][\w.-]*|latest|stable|edge|nightly|mainline|lts|alpine|slim|community)"
_IMAGE = rf"(?:[a-z0-9][a-z0-9._-]*/)+[a-z][a-z0-9_-]*:{_TAG}"
_SCOPED = r"@[a-z][\w.-]*/[a-z][\w.-]*(?:@[\w.\x01-]+)?"
_PUBLISHED = re.compile(
    rf"(?<![\w.@/-])(?:(?P<maven>{_MAVEN})|(?P<go>{_GO})|(?P<image>{_IMAGE})|(?P<scoped>{_SCOPED}))(?![\w/@])"
)
_WORD = re.compile(r"[^\W_][^\W_]*")
_SEGMENT = re.compile(r"[^/:@]+")
_LETTERS = re.compile(r"[^\W\d_]+")
# Behind these stands who uses a program, not what it is called.
_PEOPLE = frozenset(
    "user users home player players patient patients client clients member members profile profiles people u".split()
)
_LOGIN = re.compile(r"[a-z]{4,}[._-]?\d{2,4}\Z", re.IGNORECASE)
_PUBLISHES = (
    "com. org. io. net. dev. ai. edu. ch. de. fr. me. uk. eu. cn. us. app. cloud. jakarta. androidx. java. javax. jdk. sun. "
    "software. kotlinx. .com/ .org/ .in/ .io/ .dev/ .sh/ @".split()
)
_IMAGES = re.compile(r"\w/[a-z\d_-]+:[\w\x01]")


def may_publish(text: str) -> bool:
    """Cheap proof that a text may hold such a name."""
    return any(map(text.__contains__, _PUBLISHES)) or _IMAGES.search(text) is not None


def published_parts(text: str) -> list[tuple[int, int]]:
    """Where in a text the parts stand that may stay because software is published under them."""
    return [span for match in _PUBLISHED.finditer(text) for span in _parts(match)]


def _parts(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    at = match.start()
    if match["maven"]:
        words = list(_WORD.finditer(match.group()))
        kept = [w for w in words if _may_stay(w.group().lower().rstrip("0123456789"))]
        if len(kept) == len(words):
            yield match.span()
        else:
            yield from ((at + w.start(), at + w.end()) for w in kept)
        return
    segments = list(_SEGMENT.finditer(match.group()))
    if any(s.group() in _PEOPLE for s in segments):
        return
    for segment in segments:
        if not _is_somebodys(segment.group()):
            yield at + segment.start(), at + segment.end()


def _is_somebodys(segment: str) -> bool:
    """`jkeller84`, `maria`, `jane-doe`: made like a login or a name."""
    words = [w.lower() for w in _LETTERS.findall(segment)]
    if _is_known(words):
        return False
    if _LOGIN.match(segment) and not is_software_word(words[0]):
        return True
    return all(is_given_name(w) or w in word_list("surnames") for w in words)


def _may_stay(lower: str) -> bool:
    return is_of_a_package(lower) or _is_softwares(lower)


def _is_known(words: list[str]) -> bool:
    return all(len(w) < 2 or is_program_word(w) or _is_softwares(w) for w in words)


def _is_softwares(lower: str) -> bool:
    """Also what is a name elsewhere: `loki` behind `grafana/`."""
    return is_software_word(lower) or lower in word_list("programs") or is_ambiguous_software(lower)
