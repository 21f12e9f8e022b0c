# ruff: noqa: E501 - a pattern reads better unbroken
"""What the field of a value tells: a parameter, a column of a table or of a statement that is about a thing.

Here: of what varies in a record the amounts, days and words whose field is nobody's, which `redact` leaves: `?page=2`,
`signup_date` above `2026-01-14`, `tier = 'gold'`, coded fields of HL7. Not here: values of fields about somebody
(`records`, `forms`), what a number tells by itself (`shapes/measures`). Unsure means personal.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from privacy.detection.shapes.constants import is_constant
from privacy.detection.shapes.measures import is_personal_key
from privacy.detection.texts.forms import is_ordinary_key, label_kind
from privacy.detection.texts.person_states import is_state_word
from privacy.detection.texts.segments import coded_spans
from privacy.detection.texts.speech import FREE_TEXT
from privacy.detection.texts.texts_of_records import columns_of
from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import is_given_name, is_only_a_name

_LETTERS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# `?page=`, `&sort=`, `tier = '`, `total > `.
_PARAMETER = re.compile(r"[?&;](?P<key>[A-Za-z][\w.\[\]-]{0,30})=\Z")
_COMPARED = re.compile(
    r"(?:\b\w{1,30}\.)?\b(?P<key>[a-z][a-z0-9_]{1,30})\s?(?:=|<>|!=|[<>]=?|(?i:like|is|between))\s?'?\Z"
)
# `"hearing": "2026-05-02"`, and of goods and journeys the codes.
_FIELD = re.compile(
    r"(?:(?:^|[{,;&|(\[\n])\s{0,8}[\"']?(?P<key>[A-Za-z][\w.-]{1,30})[\"']?\s?[:=]|(?<![\w.-])(?P<bare>[A-Za-z][\w.-]{1,30})=)\s?[\"']?\Z"
)
_OF_GOODS = re.compile(
    r"(?i:(?:sku|lot|batch|flight|gate|part|thread|model|build|course|item|product|article|bike|train|platform|terminal|seat|bus|line|branch|desk|pod|container|image|rack|zone|shelf|bin)(?:_?(?:no|code|id|number))?\Z)"
)
_DAYS_AND_CODES = frozenset({"timestamp", "date", "id"})
_STATEMENT = re.compile(
    r"\s*(?:INSERT|REPLACE|UPDATE|DELETE|SELECT|WITH|EXEC|CALL)\b", re.IGNORECASE
)
_INSERTED = re.compile(
    r"(?i:(?:insert|replace)\s+into)\s+[\w.\"`]+\s*\((?P<columns>[^()]{1,600})\)\s*(?i:values)\s*"
)
_ROW = re.compile(r"\((?P<row>(?:'(?:[^']|'')*'|[^()'])*)\)")
_CELL = re.compile(r"'(?:[^']|'')*'|[^,']+")
_TOKEN = re.compile(r"[A-Z]{1,5}\Z")
# A day alone may be a birthday wherever it stands.
_DAY = re.compile(r"(?:19|20)\d{2}-?(?:0[1-9]|1[0-2])-?[0-3]\d\Z")
_CODED = frozenset({"number", "digits", "id", "timestamp", "value", "word", "name"})
_ORDERS = frozenset({"asc", "desc"})
_AMOUNTS = frozenset({"number", "timestamp", "date", "duration", "time", "id"})
_WORDS = frozenset({"value", "word", "name"})
_ASKED = _CODED | _AMOUNTS
# Without one of these there is no field.
_SIGN = re.compile(r"[=\n|?#<>]|[A-Za-z_][\"']?\s?:|(?i:like|between|values)\b")
_MOST_DIGITS, _BEFORE = 7, 48


def told_by_fields(text: str, found: list[Finding]) -> set[Finding]:
    """Of the ordered findings of a text those that stand in fields about things, and tell of nobody."""
    asked = [f for f in found if f.type in _ASKED]
    if not asked or _SIGN.search(text) is None:
        return set()
    chosen = {f for f in asked if text[f.start : f.end] in _ORDERS}
    chosen |= {f for f in asked if (key := _key_before(text, f)) and _may_stay(text, f, key)}
    for start, end, column in _columns(text):
        inside = [f for f in asked if start <= f.start and f.end <= end]
        chosen.update(f for f in inside if is_of_a_thing(column) and _may_stay(text, f, column))
    coded = coded_spans(text) if "|" in text else []
    return chosen | {
        f for f in asked if f.type in _CODED and _is_coded(text, f) and _is_within(f, coded)
    }


def _key_before(text: str, finding: Finding) -> str:
    before = text[max(0, finding.start - _BEFORE) : finding.start]
    if before.endswith("#") and "://" in text and finding.type == "value":
        return "anchor"
    match = _PARAMETER.search(before)
    if match is None and _STATEMENT.match(text):
        match = _COMPARED.search(before)
    if match is None and finding.type in _DAYS_AND_CODES:
        return _field_of(before, finding)
    return match["key"] if match is not None and is_of_a_thing(match["key"]) else ""


# Who holds such a value may be somebody.
_SECRET = frozenset(
    "sig signature token key code hash auth nonce session sid ticket hmac access credential credentials otp pin csrf cookie secret assertion jwt grant challenge verifier".split()
)


def _field_of(before: str, finding: Finding) -> str:
    match = _FIELD.search(before)
    key = (match["key"] or match["bare"]) if match is not None else ""
    is_asked = finding.type != "id" or _OF_GOODS.match(key) is not None
    return key if key and is_asked and is_of_a_thing(key) else ""


@lru_cache(maxsize=20_000)
def is_of_a_thing(key: str) -> bool:
    """Whether a field's name is known and says that its value is not about somebody: `page`, `signup_date`."""
    words = [w.lower() for w in _LETTERS.findall(_CAMEL.sub(" ", key))]
    if _OF_GOODS.match(key):
        return True
    if (
        not words
        or not _SECRET.isdisjoint(words)
        or label_kind(key)
        or is_personal_key(key)
        or not FREE_TEXT.isdisjoint(words)
    ):
        return False
    return is_ordinary_key(key)


def _may_stay(text: str, finding: Finding, key: str) -> bool:
    written = text[finding.start : finding.end].strip("'\"")
    if finding.type in _AMOUNTS:
        return sum(c.isdigit() for c in written) <= _MOST_DIGITS or finding.type == "timestamp"
    if finding.type == "digits" or not written.isascii():
        return False
    words = [w for w in re.split(r"[^A-Za-z]+", written) if w]
    return all(is_constant(w) and not _is_somebodys(w.lower()) for w in words) and len(words) < 4


def _is_somebodys(lower: str) -> bool:
    return is_given_name(lower) or is_only_a_name(lower) or is_state_word(lower)


def _columns(text: str) -> Iterator[tuple[int, int, str]]:
    """Cells of a table below its headings and of inserted rows, each with its column."""
    if "\n" in text:
        yield from columns_of(text)
    inserted = _INSERTED.search(text)
    if inserted is None:
        return
    names = [c.strip(' "`[]') for c in inserted["columns"].split(",")]
    for row in _ROW.finditer(text, inserted.end()):
        cells = [m for m in _CELL.finditer(text, *row.span("row")) if m[0].strip()]
        if len(cells) == len(names):
            yield from ((m.start(), m.end(), name) for m, name in zip(cells, names, strict=True))


def _is_coded(text: str, finding: Finding) -> bool:
    written = text[finding.start : finding.end]
    if _DAY.match(written):
        return False
    return finding.type not in _WORDS or _TOKEN.match(written) is not None


def _is_within(finding: Finding, spans: Iterable[tuple[int, int]]) -> bool:
    return any(a <= finding.start and finding.end <= b for a, b in spans)
