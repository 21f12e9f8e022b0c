# ruff: noqa: E501 - a pattern reads better unbroken
"""Segments whose fields have numbers or short names: HL7 v2 (which field is whose, by the standard's tables), vCards.

Here: `PID|…`, `ADR;TYPE=home:…`, `DOE^JANE`, and which fields of a segment are codes. Not here: forms with labels (`forms`).
"""

import re

from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import is_program_word

_LETTERS = re.compile(r"[^\W\d_]+")


def segment_findings(text: str, words: frozenset[str]) -> list[Finding]:
    """What vCards and HL7 segments hold of people; `words` are the text's words in lower case."""
    found: list[Finding] = []
    if "vcard" in words or "vcalendar" in words:
        found += [f for m in _CARD.finditer(text) for f in _components(text, *m.span("hit"))]
    if not _SEGMENTS_IN_SMALL.isdisjoint(words):
        found += [f for m in _HL7.finditer(text) for f in _fields_of(text, m)]
    if "^" in text:
        coded = coded_spans(text) if "|" in text else []
        found += [
            f
            for m in _CARETS.finditer(text)
            if not any(a <= m.start() < b for a, b in coded)
            for f in _names_between_carets(text, m)
        ]
    return found


def coded_spans(text: str) -> list[tuple[int, int]]:
    """Where the fields of HL7 segments stand that hold codes, numbers and moments, and nobody."""
    spans = []
    for segment in _SEGMENT.finditer(text):
        at, personal = segment.start("hit") + 1, _FIELDS.get(segment["name"], frozenset())
        for number, field in enumerate(segment["hit"][1:].split("|"), start=1):
            if number not in personal and f"{segment['name']}{number}" not in _WRITTEN:
                spans.append((at, at + len(field)))
            at += len(field) + 1
    return spans


# A segment whose other fields the standard gives to codes and moments.
_SEGMENT = re.compile(
    r"^(?P<name>MSH|EVN|MSA|OBX|OBR|ORC|PV1|NK1|PID|IN1|AL1|DG1|PR1|SPM|TQ1|RXE|RXA|FT1|SCH|AIS)(?P<hit>\|[^\n\r]*)",
    re.MULTILINE,
)
# Of these a person writes the words, or somebody stands in them.
_WRITTEN = frozenset(
    "OBX5 OBX16 AL13 AL15 DG14 PR14 SCH6 SCH7 SCH12 SCH16 IN14 PR111 RXA10 FT121 EVN5 OBR13 PV13".split()
)


_CARD = re.compile(
    r"^(?:item\d{1,2}\.)?(?:N|FN|NICKNAME|ADR|TEL|EMAIL|BDAY|ORG|NOTE|LABEL|GEO|RELATED|ATTENDEE|ORGANIZER)(?:;[^:\n]*)?:(?P<hit>[^\n]+)",
    re.MULTILINE,
)
# Of each segment the fields about somebody, counted from 1.
_FIELDS = {
    "PID": {2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 18, 19, 20, 21, 23}, "NK1": {2, 4, 5, 6, 12, 30, 31},
    "PV1": {7, 8, 9, 17, 19, 52}, "PD1": {4}, "GT1": {2, 3, 4, 5, 6, 7, 8, 12, 16, 19},
    "IN1": {16, 18, 19, 36, 49}, "MRG": {1, 4, 7}, "STF": {1, 2, 3, 6, 10, 11, 15},
    "OBR": {10, 16, 28, 32}, "ORC": {10, 11, 12}, "ROL": {4, 11, 12},
}  # fmt: skip
_SEGMENTS_IN_SMALL = frozenset("pid nk pv pd gt in mrg stf obr orc rol".split())
_HL7 = re.compile(rf"\b(?P<name>{'|'.join(_FIELDS)})(?P<hit>\|[^\n\r]*)")
_COMPONENT = re.compile(r"[^\W_][^;,^~&|\n]*")
# The assigner and the type of an id.
_CODE = re.compile(r"[A-Z]{1,5}\d{0,2}\Z")
_OF_IDS = frozenset({"PID2", "PID3", "PID4", "PID18", "MRG1"})
_CARETS = re.compile(r"[^\W\d_][\w'\u2019 -]{0,30}(?:\^[^\W\d_]?[\w'\u2019. -]{0,30}){1,5}")
_CODES = frozenset(
    "adt oru orm ack siu mdm spo wi wife spouse mth fth chd sib par grd oth emc mr ss an pi nk ast hgb".split()
)


def _components(text: str, start: int, end: int) -> list[Finding]:
    return [Finding(m.start(), m.end(), "value") for m in _COMPONENT.finditer(text, start, end)]


def _fields_of(text: str, segment: re.Match[str]) -> list[Finding]:
    found, at = [], segment.start("hit") + 1
    for number, field in enumerate(segment["hit"][1:].split("|"), start=1):
        if number in _FIELDS[segment["name"]]:
            parts = _components(text, at, at + len(field))
            is_id = f"{segment['name']}{number}" in _OF_IDS
            found += [p for p in parts if not (is_id and _CODE.match(text[p.start : p.end]))]
        at += len(field) + 1
    return found


def _names_between_carets(text: str, match: re.Match[str]) -> list[Finding]:
    """`DOE^JANE`, not `ADT^A01` or `SPO^SPOUSE`."""
    parts = _LETTERS.findall(match.group().lower())
    if not _CODES.isdisjoint(parts) or all(is_program_word(p) for p in parts):
        return []
    return [f for f in _components(text, *match.span()) if text[f.start].isalpha()]
