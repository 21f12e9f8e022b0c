"""Labelled messages from a grammar and the word lists: what the model is trained and tested on.

Here: expanding `training/*.txt` with names of many cultures, in the ways people write (lower case,
no apostrophes, slips). Everything is invented by this module: no text of any person is in it. Not
here: training (`train`). Train and held-out share neither sentences nor names.
"""

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from privacy.detection.vocabulary.lexicon import word_list

LABELS = ("PERSON", "LOCATION", "ORG", "ADDRESS", "DATE", "AGE", "USERNAME")
_GRAMMARS = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")
_HELD_OUT_PARTS = 5
_SCHOOLS = (
    "High School,Primary,College,University,Academy,Sixth Form,School,Elementary,Kindergarten"
)
_HEALTH = (
    "Hospital,Clinic,Medical Practice,Surgery,Health Centre,Dental,Hospice,Pharmacy,Ward,Unit,House"
)
_FIRMS = (
    "Logistics,Foods,Services,Bakery,Motors,Insurance,Bank,Ltd,Inc,GmbH,Cafe,Group,Systems,Media,"
    "Warehouse,Stores,Couriers,Builders,Council,Energy,Hotel,Records,Studios,Electronics,Care"
)
_STREETS = (
    "Street,Road,Avenue,Lane,Drive,Close,Terrace,Crescent,Way,Court,Square,Gardens,Grove,Hill,Row"
)
_MONTHS = (
    "January,February,March,April,May,June,July,August,September,October,November,December"
).split(",")
_SEASONS = ("spring", "summer", "autumn", "winter", "fall")
_AGES = (
    "nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
)
_PREFIXES = (
    "Port",
    "New",
    "San",
    "Saint",
    "North",
    "South",
    "East",
    "Upper",
    "Santa",
    "Fort",
    "El",
)

_SUFFIXES = ("Bay", "Heights", "Park", "Valley", "City", "Hills", "on Sea")
_PARTICLES = ("de", "van", "bin", "da", "al")


@dataclass(frozen=True)
class Example:
    """A message and its labelled stretches (start, end, label) in code points."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def examples(split: str, count: int, seed: int) -> Iterator[Example]:
    """`count` messages of a split, `train` or `held_out`; the same seed gives the same messages."""
    chance = random.Random(f"{split}/{seed}")  # noqa: S311 - invented text, no secret
    writer = _Writer(split, chance)
    for _ in range(count):
        yield writer.message()


class _Writer:
    def __init__(self, split: str, chance: random.Random) -> None:
        self._rules = _grammar(split)
        self._names = {
            "given": _part("given", split),
            "english_given": _part("english_given", split),
            "surnames": _part("surnames", split),
            "places": _part("places", split),
            "words": _part("words", split),
        }
        self._chance = chance

    def message(self) -> Example:
        """One message as somebody types it."""
        pieces = list(self._expand("message"))
        if self._chance.random() < 0.6:
            pieces = [(p if label else self._varied(p), label) for p, label in pieces]
        style = self._chance.choices(("proper", "names", "lower", "upper"), (42, 14, 41, 3))[0]
        drops_signs = style in {"names", "lower"} and self._chance.random() < 0.35
        text, spans, starts = "", [], True
        for piece, label in pieces:
            written = self._written(piece, label, style, starts=starts, drops_signs=drops_signs)
            if label:
                spans.append((len(text), len(text) + len(written), label))
            text += written
            starts = written.rstrip().endswith((".", ":", "?")) or (starts and not written.strip())
        if style == "proper" and self._chance.random() < 0.8:
            text += self._chance.choice(".....?!")
        return Example(text, tuple(spans))

    def _expand(self, rule: str) -> Iterator[tuple[str, str]]:
        alternatives, weights = self._rules[rule]
        chosen = self._chance.choices(alternatives, weights)[0]
        for index, part in enumerate(_SLOT.split(chosen)):
            if index % 2 == 0:
                if part:
                    yield part, ""
            elif part.isupper():
                yield self._span(part), part
            elif part == "rare":
                yield self._chance.choice(self._names["words"]), ""
            else:
                yield from self._expand(part)

    def _written(
        self, piece: str, label: str, style: str, *, starts: bool, drops_signs: bool
    ) -> str:
        if style == "proper" and not label:
            piece = re.sub(r"\bi\b", "I", piece)
            if starts and piece[0].isalpha():
                piece = piece[0].upper() + piece[1:]
            piece = re.sub(r"([.?] )([a-z])", lambda m: m[1] + m[2].upper(), piece)
        if style == "upper":
            piece = piece.upper()
        if style == "lower":
            piece = piece.lower()
        if drops_signs:
            piece = piece.replace("'", "")
        elif self._chance.random() < 0.1:
            piece = piece.replace("'", "\u2019")
        return self._slip(piece) if self._chance.random() < 0.04 else piece

    def _varied(self, piece: str) -> str:
        """Other words here and there: the grammar's own words must not be all that is neutral."""
        words = re.split(r"(\W+)", piece)
        return "".join(
            self._pick("words") if len(w) > 3 and self._chance.random() < 0.15 else w for w in words
        )

    def _slip(self, piece: str) -> str:
        """Two letters swapped, one left out or one doubled; never at the ends."""
        places = [i for i in range(1, len(piece) - 2) if piece[i : i + 2].isalpha()]
        if not places:
            return piece
        at, kind = self._chance.choice(places), self._chance.randrange(3)
        if kind == 0:
            return piece[:at] + piece[at + 1] + piece[at] + piece[at + 2 :]
        return piece[:at] + piece[at + 1 :] if kind == 1 else piece[:at] + piece[at] + piece[at:]

    def _span(self, label: str) -> str:
        return {
            "PERSON": self._person, "LOCATION": self._location, "ORG": self._organisation,
            "ADDRESS": self._address, "DATE": self._date, "AGE": self._age, "USERNAME": self._user,
        }[label]()  # fmt: skip

    def _pick(self, name: str) -> str:
        return self._chance.choice(self._names[name])

    def _name(self, kind: str) -> str:
        """A name of a list, or an ordinary word used as one: context has to tell."""
        draw = self._chance.random()
        if draw < 0.11:
            return self._pick("words").title()
        return self._pick("english_given" if kind == "given" and draw < 0.4 else kind).title()

    def _person(self) -> str:
        shape = self._chance.random()
        given = self._name("given")
        if shape < 0.62:
            return given
        if shape < 0.88:
            return f"{given} {self._name('surnames')}"
        if shape < 0.92:
            return f"{given} {self._name('surnames')}-{self._name('surnames')}"
        if shape < 0.96:
            return f"{given} {self._chance.choice(_PARTICLES)} {self._name('surnames')}"
        return f"{given[:3]}" if len(given) > 4 else given

    def _location(self) -> str:
        shape, place = self._chance.random(), self._name("places")
        if shape < 0.74:
            return place
        if shape < 0.9:
            return f"{self._chance.choice(_PREFIXES)} {place}"
        return f"{place} {self._chance.choice(_SUFFIXES)}"

    def _organisation(self) -> str:
        shape = self._chance.random()
        head = self._name(self._chance.choice(("surnames", "places", "words")))
        if shape < 0.2:
            return head
        if shape < 0.3:
            return f"{head} & {self._name('surnames')}"
        if shape < 0.38:
            return f"St {self._name('given')}'s"
        if shape < 0.45:
            return f"University of {self._name('places')}"
        if shape < 0.55:
            head = f"{head} {self._pick('words').title()}"
        kinds = self._chance.choice((_SCHOOLS, _HEALTH, _FIRMS, _FIRMS)).split(",")
        return f"{head} {self._chance.choice(kinds)}"

    def _address(self) -> str:
        name = self._name(self._chance.choice(("surnames", "places", "words", "words")))
        street = f"{name} {self._chance.choice(_STREETS.split(','))}"
        shape = self._chance.random()
        if shape < 0.35:
            return street
        numbered = f"{self._chance.randrange(1, 400)} {street}"
        if shape < 0.75:
            return numbered
        return f"{numbered}, {self._name('places')}"

    def _date(self) -> str:
        month, day = self._chance.choice(_MONTHS), self._chance.randrange(1, 29)
        year = self._chance.randrange(1950, 2026)
        return self._chance.choice((
            f"{month} {day}", f"the {day}th of {month}", f"{month} {year}", f"{day} {month} {year}",
            f"the {self._chance.choice(_SEASONS)} of {year}", month, str(year), f"{day}/{day % 12}/{year}",
        ))  # fmt: skip

    def _age(self) -> str:
        return self._chance.choice((str(self._chance.randrange(9, 80)), self._chance.choice(_AGES)))

    def _user(self) -> str:
        first, second = self._pick("words"), self._pick("words")
        joint = self._chance.choice(("_", ".", "", "-"))
        number = self._chance.choice(("", str(self._chance.randrange(2_010))))
        return f"{self._chance.choice(('', '', '@'))}{first}{joint}{second}{number}"


@cache
def _grammar(split: str) -> dict[str, tuple[list[str], list[int]]]:
    rules: dict[str, tuple[list[str], list[int]]] = {}
    current: tuple[list[str], list[int]] = ([], [])
    for line in (_GRAMMARS / f"{split}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            continue
        if line.startswith("["):
            current = rules[line.strip("[]")] = ([], [])
            continue
        weighted = re.match(r"(\d+)#(.*)", line)
        current[0].append(weighted[2] if weighted else line)
        current[1].append(int(weighted[1]) if weighted else 1)
    return rules


@cache
def _part(name: str, split: str) -> list[str]:
    """The names of a list that belong to a split, by their hash: a fifth is held out."""
    is_held_out = split == "held_out"
    return [
        word
        for word in sorted(word_list(name))
        if len(word) > 2
        and (hashlib.sha256(word.encode()).digest()[0] % _HELD_OUT_PARTS == 0) == is_held_out
    ]
