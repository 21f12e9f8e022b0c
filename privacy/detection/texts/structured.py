# ruff: noqa: E501 - a pattern reads better unbroken
"""Whether a text is a record: JSON, XML, a form, a table, a segment, a query.

Here: the shapes of records. In one of them fields tell whose a value is, so that it is read like a line of a
log (`logs`); a sentence is read word by word (`chat`). Not here: what a record holds of somebody (`records`,
`forms`). Unsure means a sentence.
"""

import re

from privacy.detection.texts.forms import is_field_of_a_form
from privacy.detection.texts.texts_of_records import has_header, is_block

_JSON = re.compile(r"\s*[\[{].*[\"'][^\"'\n]{1,40}[\"']\s{0,2}:.*[\]}]\s*\Z", re.DOTALL)
_XML = re.compile(r"\s*<[A-Za-z?!/][^<>]*>.*(?:</[\w:.-]+>|/>)\s*\Z", re.DOTALL)
_SEGMENTS = re.compile(r"(?:[A-Z][A-Z\d]{2}\|[^\n]*\|[^\n]*(?:\n|\Z))+\Z")
_CARD = re.compile(r"BEGIN:V[A-Z]{3,9}\b")
_QUERY = re.compile(
    r"(?:(?:INSERT|REPLACE|MERGE) INTO|UPDATE \w+ SET|DELETE FROM|SELECT .{1,200}? FROM|EXEC(?:UTE)? \w|CALL \w+\(|(?:MERGE|MATCH|CREATE) \(|H?SET \S+:\S+|db\.\w+\.\w+\()"
)
_REQUEST = re.compile(
    r"(?:(?:GET|POST|PUT|PATCH|DELETE|HEAD) )?(?:https?://\S+|/[\w.~%-]+(?:/[^\s?]*)?(?:\?\S*)?)(?: HTTP/\S+)?(?: \d\S*){0,3}\Z"
)
_ACCOUNT = re.compile(r"[\w.-]{2,32}:[x*!]:\d{1,7}:\d{1,7}:")
_DIRECTORY = re.compile(r"(?:dn: ?)?(?:uid|cn|CN|UID)=[^,=]+,\s?(?:ou|dc|o|OU|DC|O)=")
# `Row(player='a', level=1)`, `Person { name: "a", age: 3 }`, `map[a:b c:d]`.
_DUMP = re.compile(
    r"[\w.<>#&:@ ]{0,40}[({\[](?=[^\n]*\w[\"'\]]{0,2}\s?(?:=>?|:)\s?\S[^\n]*\w[\"'\]]{0,2}\s?(?:=>?|:)\s?\S)[^\n]*[)}\]>]\Z"
)
_PAIR = re.compile(r"(?:^|[\s?&;,{\[])[A-Za-z][\w.\[\]-]{0,39}=(?!=)\S")
_LINE = re.compile(r"[ \t]*(?:[-*]\s)?(?P<key>[^\W\d_][^:=\n]{0,40}?)\s?[:\uff1a](?:\s|\Z)")
_PARTS = re.compile(r"\n|;\s|\s\|\s|,\s(?=[^\W\d_][\w ]{1,30}:\s)")
_FEWEST_PAIRS, _FEWEST_FIELDS = 3, 2
_FORMS = (_JSON, _XML, _SEGMENTS, _CARD, _QUERY, _REQUEST, _ACCOUNT, _DIRECTORY, _DUMP)


def is_record(text: str) -> bool:
    """Whether fields, not sentences, make the text."""
    if any(form.match(text) for form in _FORMS) or is_block(text):
        return True
    if "=" in text and len(_PAIR.findall(text)) >= _FEWEST_PAIRS and not _has_sentence(text):
        return True
    if "\n" in text and has_header(text):
        return True
    return ":" in text and _is_form(text)


def _is_form(text: str) -> bool:
    parts = [p for p in _PARTS.split(text) if p.strip()]
    keys = [m["key"] for p in parts if (m := _LINE.match(p))]
    known = [key for key in keys if is_field_of_a_form(key)]
    return len(known) >= _FEWEST_FIELDS and 2 * len(known) > len(parts)


_SENTENCE = re.compile(r"(?:\b(?:[Ii]|my|me|we|he|she)\b[^\n=]*){2}")


def _has_sentence(text: str) -> bool:
    return _SENTENCE.search(text) is not None
