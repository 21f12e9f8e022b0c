"""Presidio on our own terms: pattern recognisers and our own model, no download, no network.

Here: building the engines and masking what they find in a text. Not here: the fast exact masks
that come first (`skeleton`), the model (`detection/ner`). The patterns look at what those left over,
and only when anything is left that one could match, because that costs about 0.5 ms a text. Names
are looked for in messages alone: in logs a word that nobody knows is masked anyway.
"""

import re
from functools import cache

import tldextract
import tldextract.tldextract as _tldextract_module
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine.no_op_nlp_engine import NoOpNlpEngine
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    CryptoRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MacAddressRecognizer,
    PhoneRecognizer,
    SpacyRecognizer,
    UsSsnRecognizer,
)

from privacy.detection.findings import Finding
from privacy.detection.ner import TYPES, OwnNlpEngine

_LEFTOVER = re.compile(r"@|\d{5,}|\d[ -]\d")
_PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "PT", "CA", "AU")
_MIN_SCORE = 0.3


def mask_leftovers(text: str) -> str:
    """Replace every Presidio finding in an already skeletonised text by `<type>`."""
    if not _LEFTOVER.search(text):
        return text
    for finding in _findings(text):
        text = f"{text[: finding.start]}<{finding.entity_type.lower()}>{text[finding.end :]}"
    return text


def presidio_findings(text: str) -> list[Finding]:
    """What Presidio's checksummed recognisers see in a text as it was written."""
    if not _LEFTOVER.search(text):
        return []
    return [Finding(f.start, f.end, f.entity_type.lower()) for f in reversed(_findings(text))]


def entity_findings(text: str) -> list[Finding]:
    """Names of people, places and organisations that the model sees in a message."""
    found = _name_engine().analyze(text=text, language="en", entities=list(TYPES))
    return [Finding(f.start, f.end, TYPES[f.entity_type]) for f in found]


def _findings(text: str) -> list:
    """Findings from the last to the first, overlaps removed in favour of the longer one."""
    found = _engine().analyze(text=text, language="en", score_threshold=_MIN_SCORE)
    kept: list = []
    for finding in sorted(found, key=lambda f: f.start - f.end):
        if all(finding.end <= k.start or finding.start >= k.end for k in kept):
            kept.append(finding)
    return sorted(kept, key=lambda f: -f.start)


@cache
def _name_engine() -> AnalyzerEngine:
    recognizer = SpacyRecognizer(supported_entities=list(TYPES))
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=[recognizer]),
        nlp_engine=OwnNlpEngine(),
        supported_languages=["en"],
    )


@cache
def _engine() -> AnalyzerEngine:
    # The default extractor fetches the public suffix list; the packaged snapshot is enough.
    _tldextract_module.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    recognizers = [
        EmailRecognizer(),
        PhoneRecognizer(supported_regions=_PHONE_REGIONS),
        CreditCardRecognizer(),
        IbanRecognizer(),
        IpRecognizer(),
        MacAddressRecognizer(),
        UsSsnRecognizer(),
        CryptoRecognizer(),
    ]
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognizers),
        nlp_engine=NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "none"}]),
        supported_languages=["en"],
    )
