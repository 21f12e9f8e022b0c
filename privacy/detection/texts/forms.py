# ruff: noqa: E501 - a pattern reads better unbroken
"""What forms hold of people: the values behind labels in many languages, `passwd` lines.

Here: `Příjmení: …`, `"keeper": "…"`, `<FamilyName>…</FamilyName>`, and the labels themselves, which are nobody's and
stay. A value behind a label about somebody goes up to the next label or the
end of its line. Not here: segments of HL7 and vCards (`segments`), tables and postal addresses (`records`), identifiers with a format
(`formats`).
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from privacy.detection.shapes.measures import is_personal_key
from privacy.detection.texts.segments import segment_findings
from privacy.detection.texts.speech import FREE_TEXT
from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import (
    LISTS,
    is_given_name,
    is_operations_word,
    is_program_word,
    is_word,
    word_list,
)

_SEGMENT_KEY = r"[^\W\d_](?:[\w .'\u2019()°/-]{0,30}[\w.)])?"
# A label and what follows, up to the next label, a separator of fields or the end of the line.
_SEGMENT = re.compile(
    rf"(?:^|(?<=[;|\t(])|(?<=,\s)|(?<=\s[/-]\s))[ \t*>-]{{0,8}}(?P<key>{_SEGMENT_KEY})\s{{0,2}}[:\uff1a=](?!//)\s{{0,3}}[\"'\[]{{0,2}}"
    rf"(?P<hit>[^\s\"'\[{{][^\n;|\t]*?)(?=[\"'\])}}]{{0,2}}\s*(?:[;|&\t\n\"]|\Z|'[\s,;)]|,\s{_SEGMENT_KEY}\s?[:=]|\s\s+{_SEGMENT_KEY}\s?:|\s[A-Z][A-Za-z\d]{{1,14}}:\s|\s/\s{_SEGMENT_KEY}\s?:|\s-\s|\s[\w.-]{{2,30}}=)|\)|(?<=[\w\x01][\w\x01][\w\x01][\w\x01])\.\s+[A-Z])",
    re.MULTILINE,
)
_QUOTED = re.compile(
    r"[\"'](?P<key>[^\"'\n:]{1,40})[\"']\s{0,2}:\s{0,2}\[?\s{0,2}(?:\"(?P<hit>[^\"\n]{1,200})\"|'(?P<single>[^'\n]{1,200})')"
)
# `"edad": 34`, `"age"=> 38`.
_NUMBERED = re.compile(
    r"[\"'](?P<key>[^\"'\n:]{1,40})[\"']\]?\s{0,2}(?::|=>)\s{0,2}(?:int\(|float\()?(?P<hit>-?[\d\x01][\d.\x01]{0,20})"
)
_ELEMENT = re.compile(
    r"<(?:\w+:)?(?P<key>[A-Za-z][\w.-]{1,40})(?:\s[^<>\n]*)?>(?P<hit>[^<>\n]{1,200})</"
)
_ATTRIBUTE = re.compile(r"\s(?:\w+:)?(?P<key>[A-Za-z][\w-]{1,40})=\"(?P<hit>[^\"\n]{1,200})\"")
_PARAMETER = re.compile(r"[?&\s\[](?P<key>[\w.-]{2,40})\]?=(?P<hit>[^\s&;,\"'<>]{1,120})")
_TAG = re.compile(r"</?(?:\w+:)?(?P<key>[A-Za-z][\w.-]{0,40})(?=[\s>/])")
# An address may hold what looks like a field: `ADDRESS: Gül Caddesi No:211 D:7`.
_LINE = re.compile(
    rf"^[ \t*>-]{{0,8}}(?P<key>{_SEGMENT_KEY})\s{{0,2}}[:\uff1a]\s{{1,3}}(?P<hit>[^\s\"'\[{{][^\n;|\t/\"]{{2,120}}?)\s*$",
    re.MULTILINE,
)
_VALUES = (_SEGMENT, _QUOTED, _NUMBERED, _ELEMENT, _ATTRIBUTE, _PARAMETER)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|[_.-]+(?=\w)")
_NOTHING = frozenset(
    "none null nil true false unknown n/a na yes no ok empty missing invalid required pending male female other".split()
)
_LETTERS = re.compile(r"[^\W\d_]+")
_REFERENCE = re.compile(
    r"\b(?:Patient|Practitioner|Person|RelatedPerson)/(?P<hit>[^\s\"'<>,;)]{2,60})"
)
_RESOURCES = frozenset("patient practitioner person relatedperson".split())
_ACCOUNT = re.compile(
    r"^(?P<hit>[\w.-]{2,32}):[x*!]:\d{1,7}:\d{1,7}:(?P<who>[^:\n]*)", re.MULTILINE
)
_NO_PASSWORD = (":x:", ":*:", ":!:")


def form_findings(text: str, words: frozenset[str]) -> list[Finding]:
    """Values behind labels about somebody, in a text with or without its formats; `words` are its words."""
    found: list[Finding] = []
    if not label_words().isdisjoint(words):
        found += [f for pattern in _VALUES for m in pattern.finditer(text) if (f := _value(m))]
        found += [
            Finding(*m.span("hit"), "value")
            for m in (_LINE.finditer(text) if "\n" in text else ())
            if ":" in m["hit"] and _is_of_places(m["key"]) and _KNOWN_WITHIN.search(m["hit"])
        ]
    found += segment_findings(text, words)
    if not _RESOURCES.isdisjoint(words):
        found += [Finding(m.start("hit"), m.end("hit"), "id") for m in _REFERENCE.finditer(text)]
    for match in _ACCOUNT.finditer(text) if any(s in text for s in _NO_PASSWORD) else ():
        found += [
            Finding(match.start(g), match.end(g), "username") for g in ("hit", "who") if match[g]
        ]
    return found


def without_labels(
    text: str, found: Iterable[Finding], *, is_message: bool = False
) -> list[Finding]:
    """The ordered findings without labels of fields and headings of columns, which are nobody's.

    In a message also without values such as `"tls": true`.
    """
    found = list(found)
    if all(f.type in _WHOLE for f in found):
        return found
    labels = [*_label_spans(text), *_headings(text)]
    if is_message:
        labels += _plain_values(text)
    if not labels:
        return list(found)
    return [
        piece
        for finding in found
        for piece in ([finding] if finding.type in _WHOLE else _cut(text, finding, labels))
    ]


# What has a format holds no label: `my number is aa:bb:…`.
_WHOLE = frozenset(
    "email url ip mac uuid iban digits national_id credential secret jwt hex timestamp time home path phone".split()
)


@cache
def _labels() -> dict[str, str]:
    """Labels in small letters and of what they are: `names`, `places` or `numbers`."""
    labels: dict[str, str] = {}
    kind = ""
    for line in (LISTS / "field_labels.txt").read_text(encoding="utf-8").splitlines():
        if line in {"names", "places", "numbers"}:
            kind = line
        elif line:
            labels.update(dict.fromkeys(line.split("|"), kind))
    return labels


@cache
def label_words() -> frozenset[str]:
    """Of each label the word that is least a program's: a text without any of them holds no label."""
    return frozenset(
        min(_LETTERS.findall(label), key=lambda w: (len(w) < 2 or is_program_word(w), -len(w)))
        for label in _labels()
    )


def _value(match: re.Match[str]) -> Finding | None:
    group = "single" if match.re is _QUOTED and match["hit"] is None else "hit"
    kind = label_kind(match["key"])
    if match.re is _NUMBERED and kind == "names":
        return None
    if kind is None or not _is_told(match[group], kind, is_line=match.re is _SEGMENT):
        return None
    end = match.start(group) + len(match[group].rstrip("})] "))
    if match.re is _SEGMENT and kind != "places":
        end = next(
            (
                m.start()
                for m in _NEXT.finditer(match.string, match.start(group), end)
                if _is_next(m)
            ),
            end,
        )
    return Finding(match.start(group), end, "value")


# `Halter: …, Kennzeichen …`, `Titulaire: …, né le …`: another field without a colon.
_NEXT = re.compile(r",\s(?P<key>[^\W\d_][\w'\u2019-]*)(?P<more>\s[^\W\d_]+)?")
_BEFORE_FORMAT = re.compile(
    r"(?:^|[,;.|-]\s)(?P<key>[^\W\d_]{3,}\.?)(?P<more>\s[^\W\d_]+)?(?=\s[\d\x01])", re.MULTILINE
)


def _is_next(match: re.Match[str]) -> bool:
    return match["key"].islower() or label_kind(match["key"]) is not None


@lru_cache(maxsize=20_000)
def label_kind(key: str) -> str | None:
    """Of what the label is that a key is: `names`, `places`, `numbers`, or None."""
    spaced = " ".join(_CAMEL.sub(" ", key).lower().split())
    bare = spaced.replace(".", "").strip()
    parts = (spaced, spaced.partition(" (")[0], bare, bare.partition("/")[0].strip())
    return next((kind for part in parts if (kind := _labels().get(part))), None)


def _is_of_places(key: str) -> bool:
    return label_kind(key) == "places" or key.lower().endswith("address")


# A number of a house, a flat or a floor.
_KNOWN_WITHIN = re.compile(
    r"(?i:\b(?:no|nr|d|k|kat|daire|blok|flat|apt|unit|bl|ap|sc)\s?[:.]\s?[\d\x01])"
)


def is_ordinary_key(key: str) -> bool:
    """Whether a field's name is made of words of programs or of the language."""
    return _is_ordinary(key, is_code=True)


def is_field_of_a_form(key: str) -> bool:
    """Whether what precedes a colon is a label or made of words that nobody is called."""
    return label_kind(key) is not None or _is_ordinary(key, is_code=False)


def _is_told(value: str, kind: str, *, is_line: bool) -> bool:
    """Whether the value tells of somebody: not `none`, a path or words of programs."""
    plain = value.strip().lower().rstrip(".")
    if plain in _NOTHING or plain[:1] in {"<", "/", "{", "$", "%", ""}:
        return False
    words = _LETTERS.findall(plain)
    if any(c.isdigit() or c == "\x01" for c in value):
        return True
    is_capital = not value[:1].islower() and (kind == "names" or is_line)
    return bool(words) and (is_capital or not all(is_program_word(w) for w in words))


# The labels themselves


def _label_spans(text: str) -> Iterator[tuple[int, int]]:
    for match in (*_NEXT.finditer(text), *_BEFORE_FORMAT.finditer(text)):
        whole = match["key"] + (match["more"] or "")
        if label_kind(whole):
            yield match.start("key"), match.start("key") + len(whole)
        elif label_kind(match["key"]):
            yield match.span("key")
    known, unknown = 0, []
    pairs = [p for p in (_PAIR_KEY, _MAP_KEY) if len(p.findall(text)) >= _FEWEST_PAIRS]
    for pattern in (_SEGMENT, _BARE_LABEL, _QUOTED_KEY, _TAG, _ATTRIBUTE, *pairs):
        for match in pattern.finditer(text):
            is_label = label_kind(match["key"]) is not None
            if is_label or _is_ordinary(match["key"], is_code=pattern not in _WRITTEN):
                known += 1 + is_label
                # `Agent (Moira): …`: who it is stands in brackets.
                end = match["key"].find(" (") if is_label else -1
                yield match.start("key"), match.end("key") if end < 0 else match.start("key") + end
            elif _may_be_field(pattern, match):
                unknown.append(match)
    # A form most of whose fields are known: the others are fields too, unless somebody is called so.
    if len(unknown) < known:
        is_sure = 3 * len(unknown) < known
        yield from (
            m.span("key")
            for m in unknown
            if _is_field(m["key"]) or (is_sure and _is_written_as_field(m))
        )


_BARE_LABEL = re.compile(
    rf"^[ \t*-]{{0,8}}(?P<key>{_SEGMENT_KEY})\s?[:\uff1a](?=\s|\Z)", re.MULTILINE
)
_QUOTED_KEY = re.compile(r"[\"'](?P<key>[^\"'\n:]{1,40})[\"'](?=\]?\s{0,2}(?::|=>))")
# `dport=443`, `{ward: "maple"`: of three and more of them.
_PAIR_KEY = re.compile(r"(?:^|[\s,;&?(\[{|])(?P<key>[A-Za-z][\w.-]{1,30})=(?=[^=\s])")
_MAP_KEY = re.compile(r"[{,(]\s{0,2}(?P<key>[A-Za-z_]\w{1,30}):(?=\s?[^\s/:])")
_FEWEST_PAIRS = 3
# `reading_kwh`, `height_cm`: units of amounts.
_UNITS = frozenset(
    "kg km cm mm ml kwh kw mhz ghz kb mb gb tb ms us ns hz lb lbs oz ft mph kmh kph rpm bpm px pct".split()
)
_WRITTEN = (_SEGMENT, _BARE_LABEL)
_OF_VALUES, _CONSTANTS = frozenset({'"', "'", "["}), frozenset({"tru", "fal", "nul"})


@lru_cache(maxsize=20_000)
def _is_ordinary(key: str, *, is_code: bool) -> bool:
    """`weight_g`, `Flight`: words of programs or of the language, and nobody's name before a colon."""
    if any(c.isdigit() for c in key):
        return False
    words = _LETTERS.findall(_CAMEL.sub(" ", key).lower())
    if is_code:
        return all(is_operations_word(w) or w in _UNITS for w in words)
    return all(
        is_program_word(w)
        or (is_word(w) and not is_given_name(w) and w not in word_list("surnames"))
        for w in words
    )


def _may_be_field(pattern: re.Pattern[str], match: re.Match[str]) -> bool:
    """Not `wolf: …` in a line of a log, and not `{"wolf": 3}`: who speaks, and who has points."""
    text, end = match.string, match.end("key")
    if pattern in _WRITTEN:
        return "\n" in text
    if pattern is _QUOTED_KEY:
        value = text[end + 1 : end + 8].lstrip(" :=>]")
        return value[:1] in _OF_VALUES or value[:3] in _CONSTANTS or "_" in match["key"]
    if pattern is _PAIR_KEY or pattern is _MAP_KEY:
        return True
    return pattern is _ATTRIBUTE or f"</{match['key']}>" in text


def _is_written_as_field(match: re.Match[str]) -> bool:
    """`"ward": "C2"`, `ward: maple`: in small letters, and its value no number of somebody's."""
    after = match.string[match.end("key") : match.end("key") + 8].lstrip("\"' :=>]")
    return match["key"].islower() and match["key"].isalpha() and not after[:1].isdigit()


def _is_field(key: str) -> bool:
    words = _LETTERS.findall(_CAMEL.sub(" ", key).lower())
    is_numbered = any(c.isdigit() for c in key)
    return not is_numbered and not any(
        is_given_name(w) or w in word_list("surnames") for w in words
    )


# `port: 8443`, `"service":"express"`: a short number or an ordinary word of a field that is nobody's.
_PLAIN_FIELD = re.compile(
    rf"(?:^|[\"'{{,;\s])(?P<key>{_SEGMENT_KEY})[\"']?\s{{0,2}}[:=]\s{{0,2}}[\"']?(?P<hit>\d{{1,5}}(?:\.\d{{1,3}})?|[a-z]{{2,20}})[\"']?(?=[\s,;|}}\]]*(?:[,;|}}\]\n]|\Z))",
    re.MULTILINE,
)


def _plain_values(text: str) -> Iterator[tuple[int, int]]:
    for match in _PLAIN_FIELD.finditer(text):
        key, value = match["key"], match["hit"]
        words = _LETTERS.findall(_CAMEL.sub(" ", key).lower())
        is_theirs = label_kind(key) or is_personal_key(key) or not FREE_TEXT.isdisjoint(words)
        if is_theirs or not _is_ordinary(key, is_code=True):
            continue
        if not value.isalpha() or _is_ordinary(value, is_code=False):
            yield match.span("hit")


def _headings(text: str) -> Iterator[tuple[int, int]]:
    """The cells of a first line that are all labels or ordinary words, with as many cells below."""
    first, _, rest = text.partition("\n")
    for separator in ",;\t|":
        cells = [cell.strip(" \"'") for cell in first.split(separator)]
        if len(cells) > 1 and rest.partition("\n")[0].count(separator) >= len(cells) - 1:
            known = [bool(label_kind(c)) or _is_ordinary(c, is_code=True) for c in cells if c]
            others = [
                c for c in cells if c and not label_kind(c) and not _is_ordinary(c, is_code=True)
            ]
            if 2 * sum(known) > len(cells) and all(_is_field(c) for c in others):
                yield 0, len(first)
            return


def _cut(text: str, finding: Finding, labels: list[tuple[int, int]]) -> Iterator[Finding]:
    at, is_whole = finding.start, True
    for start, end in sorted(labels):
        if end <= at or start >= finding.end:
            continue
        is_whole = False
        if (piece := _trimmed(text, at, start, finding.type)) is not None:
            yield piece
        at = max(at, end)
    if is_whole:
        yield finding
    elif (piece := _trimmed(text, at, finding.end, finding.type)) is not None:
        yield piece


def _trimmed(text: str, start: int, end: int, kind: str) -> Finding | None:
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return Finding(start, end, kind) if start < end else None
