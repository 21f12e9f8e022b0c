"""Presidio's engines as the gate uses them; importing this module costs seconds.

Here: which recognisers and which model an engine has. Not here: what is done with what they find
(`privacy/detection/presidio`).
"""

import tldextract
import tldextract.tldextract as _tldextract_module
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
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

from privacy.detection.no_words import NoWords
from privacy.detection.vocabulary.model_labels import TYPES

_PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "PT", "CA", "AU")


def name_engine() -> AnalyzerEngine:
    """Names of people, places and organisations, by the models."""
    from privacy.detection.ner import OwnNlpEngine  # noqa: PLC0415 - spaCy, not needed by patterns

    recognizer = SpacyRecognizer(supported_entities=list(TYPES))
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=[recognizer]),
        nlp_engine=OwnNlpEngine(),
        supported_languages=["en"],
    )


def pattern_engine() -> AnalyzerEngine:
    """Checksummed and format recognisers."""
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
        nlp_engine=NoWords(),
        supported_languages=["en"],
    )
