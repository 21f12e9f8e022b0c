"""`python -m privacy.detection.build_lists FAKER_DIR SPELL_DIR SCOWL_FILE…`: makes `lists/`.

Here: how the shipped word lists were derived, so that they can be made again. Sources: given
names, surnames and places of Faker 40.63 (MIT); frequent words of pyspellchecker 0.9.1 (MIT, from
subtitles); English words of SCOWL, as in Debian's wamerican and wbritish 2020.12.07 (permissive).
The folders are the unpacked packages. Nothing of this runs in the product.
"""

import gzip
import importlib
import json
import lzma
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from privacy.detection.lexicon import LISTS

_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST_COMMON = 1_500
_SURELY_A_WORD = 12_000
_FREQUENT = {"en": 18_000, "de": 30_000, "es": 25_000, "fr": 25_000, "pt": 25_000}


def main() -> None:
    """Write words, given names, surnames and places."""
    faker, spell, *scowl = (Path(argument) for argument in sys.argv[1:])
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
    for name, entries in (
        ("words", words), ("given", given), ("surnames", surnames),
        ("places", places), ("english_given", english_given),
    ):  # fmt: skip
        text = "\n".join(sorted(entries)).encode()
        (LISTS / f"{name}.txt.xz").write_bytes(lzma.compress(text, preset=9))


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
