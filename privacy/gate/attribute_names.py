"""Names of attributes: which may be shown as they are, and what stands for the others.

Here: the check that a name is made of words of software, and the digest with a shape that stands for
one that is not. Not here: what happens to the values (`allow_list`, `columns`), how many different names are
counted apart (`ingestion/receivers/committing/new_values`). The name of an unknown attribute is the
sender's text: `answer.from.jane` is a sentence about somebody.
"""

import hashlib
import re
from functools import cache, lru_cache

from privacy.detection.shapes.constants import is_constant
from privacy.detection.vocabulary.lexicon import is_given_name, word_list
from privacy.gate.allow_list import load_allow_list

OTHER = "(other)"
"""Stands for every unknown name of a component that is one too many."""

MOST_REMEMBERED = 10_000
"""Names that a process knows the answer for, listed ones among them."""

_HIDDEN = re.compile(r"~[a-p]{12}\Z")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:[./:][A-Za-z0-9_-]+)*\Z", re.ASCII)
_SEPARATORS = re.compile(r"[./:_-]+")
# A device's address or a piece of a key, whose pairs of letters and digits pass for short words.
_ADDRESS = re.compile(r"[0-9a-f]{1,4}(?:[./:_-]+[0-9a-f]{1,4}){3,}\Z", re.IGNORECASE)
_LONGEST = 80
_RUNS = ((re.compile(r"[a-z]+"), "a"), (re.compile(r"[A-Z]+"), "A"), (re.compile(r"\d+"), "#"))
_STRANGE = re.compile(r"[^aA#._:/ @-]+")
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def is_plain_name(name: str) -> bool:
    """Whether a name consists of words of software and of nobody's given name."""
    return len(name) <= _LONGEST and _is_plain(name)


# Bounded in number and, by `_LONGEST`, in bytes: names are the sender's.
@lru_cache(maxsize=MOST_REMEMBERED)
def _is_plain(name: str) -> bool:
    if not _NAME.match(name) or _ADDRESS.match(name):
        return False
    return all(_is_plain_word(word) for word in _SEPARATORS.split(name) if word)


def is_hidden_name(text: str) -> bool:
    """Whether a text is a digest that stands for a name, without its shape."""
    return bool(_HIDDEN.match(text))


def is_name(text: str) -> bool:
    """Whether a text has the form of an attribute's name."""
    return len(text) <= _LONGEST and bool(_NAME.match(text))


def shape(name: str) -> str:
    """`answer.from_Jane42` → `a.a_Aa#`: enough to know it again, not enough to read it.

    No digit stands for digits: `9.9.9.9` would be somebody's address.
    """
    for run, sign in _RUNS:
        name = run.sub(sign, name)
    return _STRANGE.sub("?", name)[:24]


class ShownNames:
    """What stands for unknown names."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def digest(self, name: str) -> str:
        """`~` and 12 letters: keyed BLAKE2b of the name. Letters, because digits look like phones."""
        keyed = hashlib.blake2b(name.encode(), digest_size=6, key=self._secret, person=b"name")
        return "~" + keyed.hexdigest().translate(_LETTERS)

    def of(self, name: str) -> str:
        """The name itself when it is plain, else its digest with its shape."""
        return name if is_plain_name(name) else f"{self.digest(name)} {shape(name)}"


def _is_plain_word(word: str) -> bool:
    lower = word.lower()
    if lower in _vocabulary():
        return True
    return is_constant(word) and (not is_given_name(lower) or lower in word_list("operations"))


@cache
def _vocabulary() -> frozenset[str]:
    """Words of the names that the allow-list itself holds."""
    names = (name for _, name in load_allow_list().exact)
    return frozenset(w.lower() for name in names for w in _SEPARATORS.split(name) if w)
