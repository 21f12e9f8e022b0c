"""Word lists: what is an ordinary word, what is a name, what is both.

Here: reading `lists/` and answering for one word. Not here: what a finding is (`chat`, `logs`)
and how the lists are made (`build_lists`).
"""

import lzma
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

LISTS = Path(__file__).with_name("lists")
TEMPLATE_WORDS = Path(__file__).with_name("template_words.txt")
_ENDINGS = ("'s", "\u2019s", "n't", "n\u2019t", "'re", "'ve", "'ll", "'d", "'m", "\u2019m")

_COMPOUND_ENDINGS = tuple(
    "id ids name key keys url uri path dir file files time type code size count port host set map log".split()
)
_BLOCK = 500
_PREFIXES = tuple("re un pre de dis auto multi micro sub over under non co mis inter".split())
# Of a known word another is made; of a word of programs also somebody who does it.
_SUFFIXES = tuple("able ably less ness ing ed ize ized izing ization ify ifier".split())
_DOERS = ("er", "ers", "or", "ors", "let", "lets")
_SHORTEST_STEM = 4
_SHORTEST_PIECE, _SHORTEST_COMPOUND, _LONGEST_COMPOUND = 3, 7, 24


class WordList:
    """Words in order, in blocks: a tenth of what a set of them takes, and as exact."""

    def __init__(self, text: str) -> None:
        """`text` holds a word a line, in order, each once."""
        self._count = text.count("\n") + 1
        # Cut, not split: a process would keep the room that a hundred thousand words took for a moment.
        self._blocks: list[str] = []
        at = 0
        while at <= len(text):
            end = text.find("\n", at + _BLOCK)
            end = len(text) if end < 0 else end
            self._blocks.append(f"\n{text[at:end]}\n")
            at = end + 1
        self._firsts = [block[1 : block.index("\n", 1)] for block in self._blocks]

    def __contains__(self, word: str) -> bool:
        at = bisect_right(self._firsts, word) - 1
        return at >= 0 and f"\n{word}\n" in self._blocks[at] and "\n" not in word

    def __iter__(self) -> Iterator[str]:
        return (word for block in self._blocks for word in block.split())

    def __len__(self) -> int:
        return self._count


@cache
def word_list(name: str) -> WordList:
    """A shipped list, lower case: words, given, surnames, places, english_given, software, …"""
    path = LISTS / f"{name}.txt.xz"
    if path.exists():
        return WordList(lzma.decompress(path.read_bytes()).decode())
    text = (LISTS / f"{name}.txt").read_text(encoding="utf-8")
    return WordList("\n".join(sorted(set(text.split()))))


@cache
def template_words() -> frozenset[str]:
    """Words that the templates of TTA's own logs are made of."""
    return frozenset(TEMPLATE_WORDS.read_text(encoding="utf-8").split())


@cache
def _plain_program_words() -> frozenset[str]:
    """Some 5,000 words, asked for once for each part of each word that nobody knows: as a set."""
    lists = ("operations", "identifiers", "programs")
    return frozenset(word for name in lists for word in word_list(name))


@lru_cache(maxsize=200_000)
def is_word(word: str) -> bool:
    """Whether a lower-case word is ordinary in English, German, Spanish, French or Portuguese."""
    words = word_list("words")
    if len(word) < 2 or word in words or word in word_list("chat"):
        return True
    for ending in _ENDINGS:
        if word.endswith(ending):
            return is_word(word[: -len(ending)])
    return False


@lru_cache(maxsize=200_000)
def is_operations_word(word: str) -> bool:
    """Whether a lower-case word may stand in a log: of programs, ordinary, or made of such."""
    return (
        len(word) < 2
        or is_program_word(word)
        or is_word(word)
        or is_software_word(word)
        or is_made_of_known(word)
    )


@lru_cache(maxsize=200_000)
def is_software_word(word: str) -> bool:
    """Whether a lower-case word is what software, or a part of it, is called, and nobody."""
    return word in word_list("software") or (
        word in word_list("programs") and not is_given_name(word)
    )


def is_ambiguous_software(word: str) -> bool:
    """Whether a lower-case word is software's name and also a surname or a town: `oslo-utils`."""
    return word in _ambiguous_software()


@cache
def _ambiguous_software() -> frozenset[str]:
    """Some 400 words, asked for at every word that nobody knows: as a set."""
    return frozenset(word_list("software_names"))


def is_made_of_known(word: str) -> bool:
    """`rebalanced`, `allocatable`, `connectionpool`, `libxcb`: known pieces, and nobody's name."""
    is_made = _is_derived(word) or _is_of_a_library(word) or _is_two_words_of_programs(word)
    return is_made and not is_in_names(word)


def _is_derived(word: str) -> bool:
    if word.endswith("d") and len(word) > _SHORTEST_STEM and _is_of_software(word[:-1]):
        return True  # `mongod`, `osqueryd`: a daemon
    stems = [word[len(p) :] for p in _PREFIXES if word.startswith(p)]
    if any(len(stem) > 3 and is_word(stem) for stem in stems):
        return True
    for endings, knows in ((_SUFFIXES, is_word), (_DOERS, is_program_word)):
        stems = [word[: -len(e)] for e in endings if word.endswith(e)]
        if any(len(stem) > 3 and (knows(stem) or knows(stem + "e")) for stem in stems):
            return True
    return False


def _is_of_a_library(word: str) -> bool:
    """`libxcb`: what precedes it says that it is nobody."""
    is_name = is_given_name(word.rstrip("0123456789"))
    rest = word[3:] if word.startswith("lib") and not is_name else ""
    return 1 < len(rest) < 12 and (rest[0] not in _VOWELS or is_program_word(rest))


_VOWELS = "aeiouy"


def _is_two_words_of_programs(word: str) -> bool:
    if not _SHORTEST_COMPOUND <= len(word) <= _LONGEST_COMPOUND:
        return False
    known = _plain_program_words()
    places = range(_SHORTEST_PIECE, len(word) - _SHORTEST_PIECE + 1)
    return any(word[:at] in known and word[at:] in known for at in places) or any(
        (word[:at] in known and word[at:] in word_list("software"))
        or (word[at:] in known and word[:at] in word_list("software"))
        for at in range(_SHORTEST_STEM, len(word) - _SHORTEST_STEM + 1)
    )


@lru_cache(maxsize=20_000)
def is_joined(word: str) -> bool:
    """`helmrelease`, `byteflow`: a word of programs and an ordinary one; handles are made so too."""
    if not 2 * _SHORTEST_STEM <= len(word) <= _LONGEST_COMPOUND or is_in_names(word):
        return False
    return any(
        _is_joined_of(word[:at], word[at:]) or _is_joined_of(word[at:], word[:at])
        for at in range(_SHORTEST_STEM, len(word) - _SHORTEST_STEM + 1)
    )


def _is_joined_of(of_programs: str, ordinary: str) -> bool:
    is_known = of_programs in _plain_program_words() and ordinary in word_list("words")
    return is_known and not is_in_names(ordinary)


def _is_of_software(word: str) -> bool:
    return word in _plain_program_words() or word in word_list("software")


def is_in_names(word: str) -> bool:
    """Whether any list holds a lower-case word as a name of somebody or of a place."""
    return any(word in word_list(name) for name in ("given", "english_given", "surnames", "places"))


@lru_cache(maxsize=200_000)
def is_program_word(word: str) -> bool:
    """Whether a lower-case word belongs to the language of software and its logs."""
    lists = ("operations", "identifiers")
    return any(word in word_list(name) for name in lists) or _is_compound(word)


def _is_compound(word: str) -> bool:
    """`sessionid`, `keyspace_size`'s `keyspacesize`: a word of programs with a common ending."""
    return any(
        word.endswith(ending) and word[: -len(ending)] in word_list("operations")
        for ending in _COMPOUND_ENDINGS
    )


@lru_cache(maxsize=200_000)
def is_given_name(word: str) -> bool:
    """Whether a lower-case word is somebody's given name, perhaps among other things."""
    return word in word_list("given") or word in word_list("english_given")


@lru_cache(maxsize=200_000)
def is_only_a_name(word: str) -> bool:
    """A name or place that is no ordinary word and no word of operations."""
    known = is_given_name(word) or word in word_list("surnames") or word in word_list("places")
    return known and not is_operations_word(word)
