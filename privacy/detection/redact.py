"""One text as the active stack sees it: findings with offsets, and the text without them.

Here: putting recognisers together for `chat` (fails closed on words nobody knows) and `log` (what is
personal in the skeleton that the gate stores). Not here: the recognisers (`chat`, `logs`, `skeleton`, `ner`),
whether the stack may be trusted (`identity`).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from privacy.detection.cues import cue_findings
from privacy.detection.presidio import entity_findings, presidio_findings
from privacy.detection.shapes.measures import impersonal
from privacy.detection.shapes.paths import url_parts
from privacy.detection.shapes.shape_formats import format_findings
from privacy.detection.texts.chat import chat_findings
from privacy.detection.texts.fields import told_by_fields
from privacy.detection.texts.forms import without_labels
from privacy.detection.texts.people import linked_findings, listed_names
from privacy.detection.texts.plain import without_plain
from privacy.detection.texts.structured import is_record
from privacy.detection.texts.texts_of_logs import log_findings, titled_findings
from privacy.detection.texts.texts_of_records import address_findings, record_findings
from privacy.detection.vocabulary.findings import Finding, blank, render, union

_ARTICLE = re.compile(r"\b[Tt]he \Z")
_NAMED_WITH_ARTICLE = frozenset({"organisation", "place_of_work"})
_LETTERS = re.compile(r"[^\W\d_]+")
_HOW_LONG = frozenset({"duration", "time"})
_READ_IN_CONTEXT = frozenset({"number", "duration", "time", "id"})
KINDS = ("chat", "log")


@dataclass(frozen=True)
class Redacted:
    """The text without personal words, and where they stood in the original (code points)."""

    text: str
    spans: list[Finding]


def redact(text: str, kind: str) -> Redacted:
    """Redact a text of a kind of `KINDS`; raises ValueError for another kind."""
    spans = find(text, kind)
    return Redacted(render(text, spans), spans)


def find(text: str, kind: str) -> list[Finding]:
    """What must not survive in a text of a kind of `KINDS`; raises ValueError for another kind."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    return _personal_spans(text) if kind == "log" else _chat_spans(text)


def log_spans(text: str) -> list[Finding]:
    """Everything variable in a log line or an exception message."""
    found = log_findings(text, cue_findings(text, format_findings(text)))
    return _with_presidio(text, found)


def _personal_spans(text: str) -> list[Finding]:
    """What the skeleton masks, without amounts and moments: they vary, and tell of nobody."""
    found = log_spans(text)
    if "://" in text:
        found = [piece for finding in found for piece in _pieces(text, finding)]
    told_of_nobody = impersonal(text, found)
    if told_of_nobody:
        # `postcode: 5532`: the field says whose it is.
        values = _values(text.translate(_DIGITS))
        told_of_nobody = {f for f in told_of_nobody if not _is_within(f, values)}
    left = [finding for finding in found if finding not in told_of_nobody]
    told = told_by_fields(text, left)
    return [finding for finding in left if finding not in told] if told else left


@lru_cache(maxsize=2_048)
def _values(text: str) -> list[Finding]:
    """What fields about somebody hold in a text; lines that differ in their digits alone share it."""
    return record_findings(text, frozenset(_LETTERS.findall(text.lower())))


_DIGITS = str.maketrans("023456789", "1" * 9)


def _pieces(text: str, finding: Finding) -> list[Finding]:
    """Of a URL what may be somebody's; any other finding as it is."""
    at = finding.start
    # With a user in front the whole of it is one.
    if finding.type != "url" or finding.replacement is None or "@" in text[at : finding.end]:
        return [finding]
    return [Finding(at + a, at + b, k) for a, b, k in url_parts(text[at : finding.end])]


def _is_within(finding: Finding, others: list[Finding]) -> bool:
    return any(o.start <= finding.start and finding.end <= o.end for o in others)


def _with_presidio(text: str, found: list[Finding]) -> list[Finding]:
    """Presidio looks at what is left over: it costs more than everything else together."""
    left = presidio_findings(blank(text, found))
    return union([*found, *left]) if left else found


def _chat_spans(text: str) -> list[Finding]:
    if is_record(text):
        return _personal_spans(text)
    # Small numbers, ordinals and doses are read with the words around them.
    formats = [
        Finding(f.start, f.end, f.type)
        for f in format_findings(text)
        if f.type not in _READ_IN_CONTEXT or (f.end - f.start > 6 and f.type not in _HOW_LONG)
    ]
    found = _with_presidio(text, chat_findings(text, formats))
    found = union([*found, *titled_findings(text)])
    words = frozenset(_LETTERS.findall(text.lower()))
    found = [*found, *record_findings(text, words), *address_findings(text)]
    whole = [_with_article(text, f) for f in union([*found, *_entities(text)])]
    whole = union([*whole, *linked_findings(text, words, whole), *listed_names(text, whole)])
    return without_labels(text, whole, is_message=True)


def _entities(text: str) -> list[Finding]:
    # The model needs the words around a name: it reads the text as it was written, and once more
    # in lower case, because capitals at the start of a sentence make it doubt names that are words.
    lower = text.lower()
    found = entity_findings(text)
    if lower != text and len(lower) == len(text):
        found += entity_findings(lower)
    return [piece for entity in found for piece in without_plain(text, entity)]


def _with_article(text: str, finding: Finding) -> Finding:
    """`the Priory`, not `Priory`: the article belongs to some names."""
    article = _ARTICLE.search(text, max(finding.start - 4, 0), finding.start)
    if article is None or finding.type not in _NAMED_WITH_ARTICLE:
        return finding
    return Finding(article.start(), finding.end, finding.type)
