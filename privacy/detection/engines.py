"""Presidio's engines as the gate uses them; importing this module costs seconds.

Here: which recognisers and which model an engine has. Not here: what is done with what they find
(`privacy/detect`).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import tldextract
import tldextract.tldextract as _tldextract_module
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
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

from privacy.detection.labels import TYPES

_PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "PT", "CA", "AU")


class NoWords(NlpEngine):
    """Presidio's `NoOpNlpEngine` without spaCy's empty document: patterns ask for no words, and the
    enhancer that asks for stop words is used by nobody.
    """

    engine_name = "tta_monitor_patterns"
    is_available = True

    def load(self) -> None:
        """There is nothing to load."""

    def is_loaded(self) -> bool:
        """It always is."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """No words, no entities."""
        nothing: Any = []
        return NlpArtifacts(nothing, nothing, [], [], self, language)

    def process_batch(
        self, texts: Iterable[Any], language: str, batch_size: int = 1, n_process: int = 1, **_: Any
    ) -> Iterator[tuple[Any, NlpArtifacts]]:
        """One text after the other."""
        for text in texts:
            yield text, self.process_text(str(text), language)

    def is_stopword(self, word: str, language: str) -> bool:
        """The context enhancer is not used."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """The context enhancer is not used."""
        return False

    def get_supported_entities(self) -> list[str]:
        """None by itself."""
        return []

    def get_supported_languages(self) -> list[str]:
        """English, for Presidio."""
        return ["en"]


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
